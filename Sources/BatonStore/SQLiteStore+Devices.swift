public import BatonCore
import Foundation
import GRDB

/// The devices and refresh tokens of `AccountStore`.
extension SQLiteStore {
    public func createDevice(
        _ device: NewDevice, refreshToken: NewRefreshToken, connected: Set<DeviceID>?
    ) async throws(AccountError) -> CreatedDevice {
        try await change { db throws in
            let row = try Row.fetchOne(
                db, sql: "SELECT num, password_hash FROM users WHERE id = ?", arguments: [device.user.stored])
            guard let row else { return .failure(.notFound) }
            let user: Int64 = row["num"]
            if let given = device.passwordHash, given != row["password_hash"] { return .failure(.passwordChanged) }
            let replaced = try Devices.makeRoom(of: user, at: device.createdAt, connected: connected, in: db)
            guard let replaced else { return .failure(.tooManyDevices(limit: Limits.Account.devicesPerUser)) }
            let now = device.createdAt.milliseconds
            try db.execute(
                sql: "INSERT INTO devices (id, user, name, platform, created_at, network) VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [
                    device.id.stored, user, device.name, device.platform, now, device.network?.stored,
                ])
            let num = db.lastInsertedRowID
            try db.execute(
                sql: """
                    INSERT INTO cursors (device, position, state, last_used)
                    SELECT ?1, head, 0, ?3 FROM inboxes WHERE user = ?2
                    """, arguments: [num, user, now])
            try Self.insert(refreshToken, of: num, in: db)
            try Devices.recount(of: user, in: db)
            let made = Device(
                id: device.id, user: device.user, name: device.name, platform: device.platform,
                createdAt: device.createdAt, lastUsedAt: device.createdAt)
            return .success(CreatedDevice(device: made, replaced: replaced))
        }
    }

    public func devices(of user: UserID) async throws(AccountError) -> [Device] {
        try await look { db throws in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT d.*, c.last_used FROM users u JOIN devices d ON d.user = u.num
                    JOIN cursors c ON c.device = d.num WHERE u.id = ? AND c.state <> 2 ORDER BY d.created_at, d.num
                    """, arguments: [user.stored]
            ).map { row in
                Device(
                    id: DeviceID(stored: row["id"]), user: user, name: row["name"], platform: row["platform"],
                    createdAt: Timestamp(milliseconds: row["created_at"]),
                    lastUsedAt: Timestamp(milliseconds: row["last_used"]))
            }
        }
    }

    public func revokeDevice(
        _ device: DeviceID, of user: UserID, at now: Timestamp
    ) async throws(AccountError) -> Bool {
        try await change { db throws in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT d.num, d.user FROM devices d JOIN users u ON u.num = d.user
                    JOIN cursors c ON c.device = d.num WHERE d.id = ? AND u.id = ? AND c.state <> 2
                    """, arguments: [device.stored, user.stored])
            guard let row else { return .success(false) }
            try Devices.revoke(row["num"], of: row["user"], because: .loggedOut, in: db)
            return .success(true)
        }
    }

    public func standing(of device: DeviceID, of user: UserID) async throws(AccountError) -> DeviceStanding {
        try await look { db throws in
            let row = try Row.fetchOne(
                try db.cachedStatement(
                    sql: """
                        SELECT c.state, d.revoked_for FROM devices d JOIN users u ON u.num = d.user
                        JOIN cursors c ON c.device = d.num WHERE d.id = ? AND u.id = ?
                        """), arguments: [device.stored, user.stored])
            guard let row else { return .unknown }
            return row["state"] == DeviceState.revoked.rawValue
                ? .revoked(RevocationReason(stored: row["revoked_for"])) : .active
        }
    }

    public func rotateRefreshToken(_ exchange: RefreshExchange) async throws(AccountError) -> RefreshRotation {
        try await change { db throws in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT t.device, t.expires_at, t.rotated_at, t.successor, d.id, d.user, d.revoked_for, c.state,
                        u.id AS owner
                    FROM refresh_tokens t JOIN devices d ON d.num = t.device JOIN users u ON u.num = d.user
                    JOIN cursors c ON c.device = d.num WHERE t.hash = ?
                    """, arguments: [Self.blob(exchange.hash)])
            guard let row else { return .success(.unknown) }
            let expiresAt: Int64 = row["expires_at"]
            guard expiresAt > exchange.at.milliseconds else { return .success(.expired) }
            guard row["state"] != DeviceState.revoked.rawValue else {
                return .success(.revoked(RevocationReason(stored: row["revoked_for"])))
            }
            let (user, device) = (UserID(stored: row["owner"]), DeviceID(stored: row["id"]))
            let successor: [UInt8]
            switch try db.successor(of: row, exchange) {
            case .given(let hash): successor = hash
            case .unknown: return .success(.unknown)
            case .stolen:
                try Devices.revoke(row["device"], of: row["user"], because: .tokenReused, in: db)
                return .success(.reused(user: user, device: device))
            }
            let num: Int64 = row["device"]
            try db.execute(
                sql: "DELETE FROM refresh_tokens WHERE device = ? AND expires_at <= ?",
                arguments: [num, exchange.at.milliseconds])
            if let network = exchange.network {
                try db.execute(
                    sql: "UPDATE devices SET network = ?1 WHERE num = ?2 AND network IS NOT ?1",
                    arguments: [network.stored, num])
            }
            _ = try Devices.reactivate(num, at: exchange.at.milliseconds, in: db)
            return .success(.rotated(user: user, device: device, successor: successor))
        }
    }

    static func insert(_ token: NewRefreshToken, of device: Int64, in db: Database) throws {
        try db.execute(
            sql: "INSERT INTO refresh_tokens (hash, device, expires_at) VALUES (?, ?, ?)",
            arguments: [blob(token.hash), device, token.expiresAt.milliseconds])
    }

    static func blob(_ bytes: [UInt8]) -> DatabaseValue {
        Data(bytes).databaseValue
    }
}

/// What follows a refresh token.
private enum Successor {
    case given([UInt8])
    /// The token's successor was exchanged, and not just now.
    case stolen
    /// It is none that this node could make.
    case unknown
}

extension Database {
    /// The successor of a token that has not ended: the one that it has, or a new one.
    fileprivate func successor(of row: Row, _ exchange: RefreshExchange) throws -> Successor {
        guard let rotatedAt: Int64 = row["rotated_at"] else {
            return .given(try insertSuccessor(of: row, exchange))
        }
        let isSoon = exchange.at.milliseconds - rotatedAt <= Limits.Account.refreshGraceSeconds * 1_000
        let hash: Data? = row["successor"]
        let isUnused =
            try hash.flatMap {
                try Bool.fetchOne(
                    self, sql: "SELECT rotated_at IS NULL FROM refresh_tokens WHERE hash = ?", arguments: [$0])
            } ?? false
        guard let hash, isSoon || isUnused else { return .stolen }
        guard let known = exchange.successors.first(where: { $0.elementsEqual(hash) }) else {
            guard isUnused else { return .unknown }
            // It was made by a key that is gone. Nobody has seen it, most likely, and who has goes on with the new one.
            let next = try insertSuccessor(of: row, exchange)
            try execute(
                sql: "UPDATE refresh_tokens SET rotated_at = ?, successor = ? WHERE hash = ?",
                arguments: [exchange.at.milliseconds, SQLiteStore.blob(next), hash])
            return .given(next)
        }
        if isUnused {
            try execute(
                sql: "UPDATE refresh_tokens SET expires_at = max(expires_at, ?) WHERE hash IN (?, ?)",
                arguments: [exchange.expiresAt.milliseconds, SQLiteStore.blob(exchange.hash), hash])
        }
        return .given(known)
    }

    /// Makes the first of the possible successors the token's.
    private func insertSuccessor(of row: Row, _ exchange: RefreshExchange) throws -> [UInt8] {
        let hash = exchange.successors[0]
        try execute(
            sql: """
                UPDATE refresh_tokens SET rotated_at = coalesce(rotated_at, ?), successor = ?,
                    expires_at = max(expires_at, ?) WHERE hash = ?
                """,
            arguments: [
                exchange.at.milliseconds, SQLiteStore.blob(hash), exchange.expiresAt.milliseconds,
                SQLiteStore.blob(exchange.hash),
            ])
        try SQLiteStore.insert(
            NewRefreshToken(hash: hash, expiresAt: exchange.expiresAt), of: row["device"], in: self)
        return hash
    }
}
