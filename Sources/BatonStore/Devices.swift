import BatonCore
import GRDB

/// What changes the number of devices that an inbox waits for. All inside the writer's transaction.
enum Devices {
    /// A device is used, and no longer idle.
    ///
    /// - Returns: false where it was revoked meanwhile.
    static func reactivate(_ device: Int64, at now: Int64, in db: Database) throws -> Bool {
        try db.execute(
            sql: "UPDATE cursors SET state = 0, last_used = ? WHERE device = ? AND state <> 2",
            arguments: [now, device])
        guard db.changesCount == 1,
            let user = try Int64.fetchOne(db, sql: "SELECT user FROM devices WHERE num = ?", arguments: [device])
        else { return false }
        try recount(of: user, in: db)
        return true
    }

    static func revoke(_ device: Int64, of user: Int64, in db: Database) throws {
        try db.execute(sql: "UPDATE cursors SET state = 2 WHERE device = ?", arguments: [device])
        try db.execute(sql: "DELETE FROM refresh_tokens WHERE device = ?", arguments: [device])
        try recount(of: user, in: db)
    }

    /// Counts a user's active devices anew, and lets go what they have all passed.
    static func recount(of user: Int64, in db: Database) throws {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT count(*) AS devices, min(c.position) AS slowest FROM devices d JOIN cursors c ON c.device = d.num
                WHERE d.user = ? AND c.state = 0
                """, arguments: [user])
        let devices: Int64 = row?["devices"] ?? 0
        let slowest: Int64? = row?["slowest"]
        try db.execute(
            sql: """
                UPDATE inboxes SET devices = ?2, truncated = max(truncated, ifnull(?3, head)) WHERE user = ?1
                """, arguments: [user, devices, slowest])
        try db.execute(
            sql: """
                DELETE FROM inbox WHERE user = ?1
                AND sequence <= (SELECT truncated FROM inboxes WHERE user = ?1)
                """, arguments: [user])
    }
}
