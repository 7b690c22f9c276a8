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

    /// Its newest refresh token stays, so that the device can be told why when it comes back.
    static func revoke(
        _ device: Int64, of user: Int64, because reason: RevocationReason, in db: Database
    ) throws {
        try db.execute(sql: "UPDATE cursors SET state = 2 WHERE device = ?", arguments: [device])
        try db.execute(sql: "UPDATE devices SET revoked_for = ? WHERE num = ?", arguments: [reason.rawValue, device])
        try db.execute(
            sql: "DELETE FROM refresh_tokens WHERE device = ? AND rotated_at IS NOT NULL", arguments: [device])
        try recount(of: user, in: db)
    }

    /// Revokes as many of a user's devices as have to give way to a new one.
    ///
    /// - Returns: them; nil where too few can give way, and then nothing was changed.
    static func makeRoom(
        of user: Int64, at now: Timestamp, connected: Set<DeviceID>?, in db: Database
    ) throws -> [DeviceID]? {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT d.num, d.id, c.last_used >= ?2 AND EXISTS (
                    SELECT 1 FROM refresh_tokens t WHERE t.device = d.num AND t.expires_at > ?3) AS counts
                FROM devices d JOIN cursors c ON c.device = d.num WHERE d.user = ?1 AND c.state <> 2
                ORDER BY counts, c.last_used, d.num
                """,
            arguments: [
                user, now.advanced(byMilliseconds: -Int64(Limits.Store.idleDeviceDays) * 86_400_000).milliseconds,
                now.milliseconds,
            ])
        let counting = rows.filter { $0["counts"] }
        let surplus = counting.count + 1 - Limits.Account.devicesPerUser
        let excess = rows.count + 1 - Limits.Account.devicesKept
        guard surplus > 0 || excess > 0 else { return [] }
        guard let connected else { return nil }
        let able = (surplus > 0 ? counting : rows).filter { !connected.contains(DeviceID(stored: $0["id"])) }
        let leaving = able.prefix(max(surplus, excess))
        guard leaving.count >= max(surplus, excess) else { return nil }
        for device in leaving { try revoke(device["num"], of: user, because: .replaced, in: db) }
        return leaving.map { DeviceID(stored: $0["id"]) }
    }

    /// Where a user's account is used.
    static func networks(of user: Int64, in db: Database) throws -> Set<NetworkMark> {
        let trusted = [RevocationReason.loggedOut, .replaced].map { "\($0.rawValue)" }.joined(separator: ", ")
        let networks = try Int64.fetchAll(
            try db.cachedStatement(
                sql: """
                    SELECT d.network FROM devices d JOIN cursors c ON c.device = d.num
                    WHERE d.user = ? AND d.network IS NOT NULL AND (c.state <> 2 OR d.revoked_for IN (\(trusted)))
                    ORDER BY c.last_used DESC, d.num DESC LIMIT ?
                    """), arguments: [user, Limits.Account.devicesKept])
        return Set(networks.map(NetworkMark.init(stored:)))
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

extension RevocationReason {
    /// A reason that a newer node wrote is told as the plainest one.
    init(stored: Int64) { self = RevocationReason(rawValue: stored) ?? .loggedOut }
}

extension NetworkMark {
    /// The mark as SQLite keeps it: a signed integer of the same bits.
    var stored: Int64 { Int64(bitPattern: rawValue) }

    init(stored: Int64) { self.init(rawValue: UInt64(bitPattern: stored)) }
}
