public import BatonCore
import GRDB
import GRDBSQLite

extension SQLiteStore: AccountStore {
    public func createUser(_ user: NewUser) async throws(AccountError) -> User {
        try await change { db throws in
            do {
                try db.execute(
                    sql: """
                        INSERT INTO users
                            (id, handle, display_name, about, phone, email, password_hash, epoch, created_at)
                        VALUES (?, ?, ?, '', ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        user.id.stored, user.handle, user.displayName, user.phone, user.email, user.passwordHash,
                        // Never zero, which stands for none.
                        Int64(bitPattern: UInt64.random(in: 1 ... .max)), user.createdAt.milliseconds,
                    ])
            } catch let error as DatabaseError where error.isUniqueViolation {
                return .failure(.handleTaken)
            }
            try db.execute(
                sql: "INSERT INTO inboxes (user, head, truncated, devices) VALUES (?, 0, 0, 0)",
                arguments: [db.lastInsertedRowID])
            return .success(
                User(
                    id: user.id, handle: user.handle, displayName: user.displayName, phone: user.phone,
                    email: user.email, about: "", createdAt: user.createdAt, lastSeen: nil))
        }
    }

    public func user(_ id: UserID) async throws(AccountError) -> User? {
        try await look { db throws in
            try Row.fetchOne(
                try db.cachedStatement(sql: "SELECT * FROM users WHERE id = ?"), arguments: [id.stored]
            ).map(User.init(row:))
        }
    }

    public func user(handle: String) async throws(AccountError) -> User? {
        try await look { db throws in try Self.row(ofUser: handle, in: db).map(User.init(row:)) }
    }

    public func credentials(handle: String) async throws(AccountError) -> Credentials? {
        try await look { db throws in
            guard let row = try Self.row(ofUser: handle, in: db) else { return nil }
            return Credentials(
                user: User(row: row), passwordHash: row["password_hash"],
                networks: try Devices.networks(of: row["num"], in: db))
        }
    }

    private static func row(ofUser handle: String, in db: Database) throws -> Row? {
        try Row.fetchOne(
            try db.cachedStatement(sql: "SELECT * FROM users WHERE handle = ?"), arguments: [handle])
    }

    public func updateProfile(of user: UserID, _ change: ProfileChange) async throws(AccountError) -> User {
        try await self.change { db throws in
            try db.execute(
                sql: """
                    UPDATE users SET display_name = ifnull(?2, display_name), about = ifnull(?3, about),
                        phone = iif(?4 IS NULL, phone, nullif(?4, '')),
                        email = iif(?5 IS NULL, email, nullif(?5, ''))
                    WHERE id = ?1
                    """,
                arguments: [user.stored, change.displayName, change.about, change.phone, change.email])
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM users WHERE id = ?", arguments: [user.stored])
            else { return .failure(.notFound) }
            return .success(User(row: row))
        }
    }

    public func replacePasswordHash(
        _ old: String, by new: String, of user: UserID
    ) async throws(AccountError) -> Bool {
        try await change { db throws in .success(try Self.replacePasswordHash(old, by: new, of: user, in: db)) }
    }

    public func changePassword(_ change: PasswordChange) async throws(AccountError) -> [DeviceID]? {
        try await self.change { db throws in
            guard try Self.replacePasswordHash(change.oldHash, by: change.newHash, of: change.user, in: db) else {
                return .success(nil)
            }
            let others = try Row.fetchAll(
                db,
                sql: """
                    SELECT d.num, d.id, d.user FROM users u JOIN devices d ON d.user = u.num
                    JOIN cursors c ON c.device = d.num WHERE u.id = ? AND c.state <> 2 AND d.id <> ?
                    """, arguments: [change.user.stored, change.device.stored])
            for device in others {
                try Devices.revoke(device["num"], of: device["user"], because: .passwordChanged, in: db)
            }
            return .success(others.map { DeviceID(stored: $0["id"]) })
        }
    }

    private static func replacePasswordHash(
        _ old: String, by new: String, of user: UserID, in db: Database
    ) throws -> Bool {
        try db.execute(
            sql: "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
            arguments: [new, user.stored, old])
        return db.changesCount == 1
    }

    public func recordLastSeen(_ times: [UserID: Timestamp]) async throws(AccountError) {
        guard !times.isEmpty else { return }
        try await change { db throws -> Result<Void, AccountError> in
            let statement = try db.cachedStatement(
                sql: "UPDATE users SET last_seen = ?2 WHERE id = ?1 AND ifnull(last_seen, ?3) < ?2")
            for (user, time) in times {
                try statement.execute(arguments: [user.stored, time.milliseconds, Int64.min])
            }
            return .success(())
        }
    }

    public func block(_ other: UserID, by user: UserID) async throws(AccountError) {
        try await setBlock(of: other, by: user, isBlocked: true)
    }

    public func unblock(_ other: UserID, by user: UserID) async throws(AccountError) {
        try await setBlock(of: other, by: user, isBlocked: false)
    }

    private func setBlock(of other: UserID, by user: UserID, isBlocked: Bool) async throws(AccountError) {
        try await change { db throws -> Result<Void, AccountError> in
            guard let pair = ConversationID(between: user, and: other) else { return .failure(.sameUser) }
            guard
                let userNum = try Int64.fetchOne(
                    db, sql: "SELECT num FROM users WHERE id = ?", arguments: [user.stored]),
                let otherNum = try Int64.fetchOne(
                    db, sql: "SELECT num FROM users WHERE id = ?", arguments: [other.stored])
            else { return .failure(.notFound) }
            try db.execute(
                sql: isBlocked
                    ? "INSERT INTO blocks (user, other) VALUES (?, ?) ON CONFLICT DO NOTHING"
                    : "DELETE FROM blocks WHERE user = ? AND other = ?", arguments: [userNum, otherNum])
            // Kept with the conversation too, where every message looks.
            try db.execute(
                sql: """
                    UPDATE conversations SET blocked = (SELECT count(*) FROM blocks
                        WHERE (user = ?3 AND other = ?4) OR (user = ?4 AND other = ?3))
                    WHERE high = ?1 AND low = ?2
                    """, arguments: [pair.storedHigh, pair.storedLow, userNum, otherNum])
            return .success(())
        }
    }

    // MARK: Calls

    func change<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Result<Value, AccountError>
    ) async throws(AccountError) -> Value {
        try await write(failure: { .store($0) }, body)
    }

    func look<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(AccountError) -> Value {
        do {
            return try await read { connection throws in try body(connection.database) }
        } catch {
            throw .store(error)
        }
    }
}

extension DatabaseError {
    var isUniqueViolation: Bool { extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE }
}

extension User {
    init(row: Row) {
        let lastSeen: Int64? = row["last_seen"]
        self.init(
            id: UserID(stored: row["id"]), handle: row["handle"], displayName: row["display_name"],
            phone: row["phone"], email: row["email"], about: row["about"],
            createdAt: Timestamp(milliseconds: row["created_at"]),
            lastSeen: lastSeen.map(Timestamp.init(milliseconds:)))
    }
}

extension TextualID {
    /// The id as SQLite keeps it: a signed integer of the same bits.
    var stored: Int64 { Int64(bitPattern: rawValue) }

    init(stored: Int64) {
        self.init(rawValue: UInt64(bitPattern: stored))
    }
}

extension ConversationID {
    var storedHigh: Int64 { Int64(bitPattern: high) }
    var storedLow: Int64 { Int64(bitPattern: low) }

    init(storedHigh: Int64, storedLow: Int64) {
        self.init(high: UInt64(bitPattern: storedHigh), low: UInt64(bitPattern: storedLow))
    }
}
