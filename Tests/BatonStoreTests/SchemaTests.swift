import BatonCore
import BatonTestKit
import GRDB
import Testing

@testable import BatonStore

/// Upgrades of a store, while nodes of the version before may be there.
@Suite("Schema")
struct SchemaTests {
    @Test("A store of version 1 is taken over with its messages, alone at once for good")
    func takeOver() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try VersionOne.make(settings.path)
            try await TemporaryStore.open(settings) { store in
                let events = try await store.everything(of: VersionOne.bob)
                #expect(events.map(\.sequence.rawValue) == [1, 2])
                guard case .message(let message) = events[0].body, case .receipt(let receipt) = events[1].body else {
                    Issue.record("a message and a receipt were there: \(events)")
                    return
                }
                #expect(message.payload == [1, 2, 3])
                #expect(receipt.delivered.rawValue == 1)
            }
            #expect(try state(settings.path) == Schema.State(version: Schema.version, admits: Schema.version))
            #expect(try VersionOne.refuses(settings.path))
        }
    }

    @Test("While another process has the store open, version 1 stays admitted and goes on serving")
    func sideBySide() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try VersionOne.make(settings.path)
            let other = try FileLock(path: settings.path + "-alive")
            other.share()
            try await TemporaryStore.open(settings) { _ in
                #expect(try state(settings.path) == Schema.State(version: Schema.version, admits: 1))
                let releases = StoreInspector.Releases(newest: Schema.version, oldest: 1, own: Schema.version)
                #expect(try StoreInspector.releases(path: settings.path) == releases)
                #expect(try !VersionOne.refuses(settings.path))
                // What such a node writes is read as what it is.
                try VersionOne.write(settings.path, sequence: 3)
            }
            try await TemporaryStore.open(settings) { store in
                let events = try await store.everything(of: VersionOne.bob)
                #expect(events.map(\.sequence.rawValue) == [1, 2, 3])
            }
            other.unlock()
            // All were stopped once: the upgrade is over.
            try await TemporaryStore.open(settings) { _ in }
            #expect(try VersionOne.refuses(settings.path))
        }
    }

    @Test("The statements that a node of version 1 has prepared go on where the schema changes under them")
    func preparedStatements() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try VersionOne.make(settings.path)
            let other = try FileLock(path: settings.path + "-alive")
            other.share()
            let queue = try DatabaseQueue(path: settings.path)
            defer { try? queue.close() }
            func handle(of num: Int) throws -> String? {
                try queue.inDatabase { db in
                    let row = try Row.fetchOne(
                        try db.cachedStatement(sql: "SELECT * FROM users WHERE num = ?"), arguments: [num])
                    return row?["handle"]
                }
            }
            func rename(_ num: Int) throws {
                try queue.inDatabase { db in
                    let statement = try db.cachedStatement(sql: "UPDATE users SET handle = handle || 'x' WHERE num = ?")
                    try statement.execute(arguments: [num])
                }
            }
            #expect(try handle(of: 1) == "alice")
            try rename(1)
            try await TemporaryStore.open(settings) { store in
                #expect(try handle(of: 1) == "alicex")
                try rename(1)
                #expect(try handle(of: 1) == "alicexx")
                #expect(try await store.user(handle: "alicexx")?.id == VersionOne.alice)
            }
        }
    }

    @Test("Users keep their numbers and what they say of themselves, which may be what others say")
    func contacts() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try VersionOne.make(settings.path)
            try change(settings.path, "UPDATE users SET phone = '+4912345678', email = 'a@b.example' WHERE num = 1")
            try await TemporaryStore.open(settings) { store in
                var change = ProfileChange()
                change.phone = "+4912345678"
                change.email = "a@b.example"
                _ = try await store.updateProfile(of: VersionOne.bob, change)
                for user in [VersionOne.alice, VersionOne.bob] {
                    let found = try await store.user(user)
                    #expect(found?.phone == "+4912345678" && found?.email == "a@b.example")
                }
                let taken = NewUser(
                    id: UserID(rawValue: 9), handle: "alice", displayName: "", passwordHash: "", phone: nil, email: nil,
                    createdAt: Timestamp(milliseconds: 1))
                await #expect(throws: AccountError.handleTaken) { try await store.createUser(taken) }
                #expect(try await store.everything(of: VersionOne.bob).count == 2)
            }
        }
    }

    @Test("A store of a later version is opened where it admits this one, and refused where not")
    func later() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try await TemporaryStore.open(settings) { _ in }
            try change(settings.path, "UPDATE store SET version = \(Schema.version + 1)")
            try await TemporaryStore.open(settings) { _ in }
            #expect(try state(settings.path).version == Schema.version + 1)
            try change(settings.path, "UPDATE store SET admits = \(Schema.version + 1)")
            let refused = StoreOpenError.newerSchema(path: settings.path)
            #expect(throws: refused) {
                _ = try SQLiteStore.open(settings, clock: MutableClock(), logger: TemporaryStore.quiet)
            }
            #expect(throws: refused) { _ = try StoreInspector(path: settings.path) }
        }
    }

    @Test("An event of a kind that this version does not know is read as it stands")
    func unknownKind() async throws {
        try await TemporaryStore.with { store in
            let people = People()
            try await people.register(in: store)
            guard case .sent = await store.perform(people.message("m1", to: people.bob)) else {
                Issue.record("a message was refused")
                return
            }
            try change(
                store.settings.path,
                """
                INSERT INTO inbox (user, sequence, conversation, member, position, kind, body)
                SELECT i.user, 2, i.conversation, i.member, 0, 70000, x'0801' FROM inbox i;
                UPDATE inboxes SET head = 2 WHERE head = 1
                """)
            let events = try await store.everything(of: people.bob)
            #expect(events.map(\.body).last == .encoded(kind: 70_000, bytes: [8, 1]))
            #expect(events.map(\.sequence.rawValue) == [1, 2])
        }
    }

    private func state(_ path: String) throws -> Schema.State {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        return try queue.inDatabase(Schema.state)
    }

    private func change(_ path: String, _ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        try queue.inDatabase { try $0.execute(sql: sql) }
    }
}

/// A store as nodes of version 1 made it, and what such nodes do with one.
private enum VersionOne {
    static let alice = UserID(rawValue: 101)
    static let bob = UserID(rawValue: 202)

    static func make(_ path: String) throws {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        try queue.inDatabase { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
        try Schema.migrate(queue, now: 1_000, to: 1)
        try queue.inDatabase { db in
            try db.execute(
                sql: """
                    INSERT INTO store (id, created_at) VALUES (1, 1);
                    INSERT INTO users (num, id, handle, display_name, about, password_hash, epoch, created_at)
                        VALUES (1, 101, 'alice', 'Alice', '', '', 1, 1), (2, 202, 'bob', 'Bob', '', '', 2, 1);
                    INSERT INTO inboxes VALUES (1, 0, 0, 1), (2, 2, 0, 1);
                    INSERT INTO devices VALUES (1, 1101, 1, '', '', 1), (2, 1202, 2, '', '', 1);
                    INSERT INTO cursors VALUES (1, 0, 0, 1), (2, 0, 0, 1);
                    INSERT INTO conversations VALUES (1, 101, 202, 1, 1, 1, 1, 0);
                    INSERT INTO members VALUES (1, 1, 'member', 1, 0, 1, 0), (1, 2, 'member', 0, 0, 0, 0);
                    INSERT INTO messages (num, conversation, sequence, sender, sent, previous, at, payload)
                        VALUES (1, 1, 1, 1, 1, 0, 1, x'010203');
                    INSERT INTO inbox (user, sequence, conversation, member, message, position)
                        VALUES (2, 1, 1, 1, 1, 1);
                    INSERT INTO inbox (user, sequence, conversation, member, position, read, at)
                        VALUES (2, 2, 1, 1, 1, 0, 1);
                    """)
        }
    }

    static func write(_ path: String, sequence: Int) throws {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        try queue.inDatabase { db in
            try db.execute(
                sql: """
                    INSERT INTO inbox (user, sequence, conversation, member, position, read, at)
                        VALUES (2, \(sequence), 1, 1, 1, 1, 1);
                    UPDATE inboxes SET head = \(sequence) WHERE user = 2;
                    """)
        }
    }

    /// Whether a node of version 1 would not open the store: it refuses where there is a migration beside its own.
    static func refuses(_ path: String) throws -> Bool {
        let queue = try DatabaseQueue(path: path)
        defer { try? queue.close() }
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { _ in }
        return try queue.inDatabase(migrator.hasBeenSuperseded)
    }
}
