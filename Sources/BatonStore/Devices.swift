import BatonCore
import GRDB

/// What changes the number of devices that an inbox waits for. All inside the writer's transaction.
enum Devices {
    /// A device that was idle is used again.
    ///
    /// - Returns: nil where it was revoked meanwhile.
    static func reactivate(_ device: Int64, at now: Int64, in db: Database) throws -> InboxState? {
        try db.execute(
            sql: "UPDATE cursors SET state = 0, last_used = ? WHERE device = ? AND state <> 2",
            arguments: [now, device])
        guard db.changesCount == 1,
            let user = try Int64.fetchOne(db, sql: "SELECT user FROM devices WHERE num = ?", arguments: [device])
        else { return nil }
        try recount(of: user, in: db)
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT u.epoch, i.head, i.truncated, c.position FROM users u JOIN inboxes i ON i.user = u.num
                JOIN cursors c ON c.device = ?2 WHERE u.num = ?1
                """, arguments: [user, device])
        guard let row else { return nil }
        return InboxState(
            epoch: Epoch(rawValue: UInt64(bitPattern: row["epoch"])), head: InboxSequence(stored: row["head"]),
            truncated: InboxSequence(stored: row["truncated"]), cursor: InboxSequence(stored: row["position"]))
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
