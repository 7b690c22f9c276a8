import BatonCore
import BatonTestKit
import GRDB
import Testing

@testable import BatonStore

@Suite("What a sweep leaves of the canaries", .timeLimit(.minutes(1)))
struct CanarySweepTests {
    private let people = People()
    private let kept = Limits.Canary.keptMessages

    /// Alice and Bob are canaries.
    private func store(_ body: (SQLiteStore) async throws -> Void) async throws {
        try await TemporaryStore.with({ $0.retention = .unlimited }) { store in
            for (user, handle) in [(people.alice, "canary-n1"), (people.bob, "canary-n1.partner")] {
                try await add(user, handle, to: store)
            }
            try await body(store)
        }
    }

    private func add(_ user: UserID, _ handle: String, to store: SQLiteStore) async throws {
        let now = Timestamp(milliseconds: 1)
        _ = try await store.createUser(
            NewUser(
                id: user, handle: handle, displayName: handle, passwordHash: "none", phone: nil, email: nil,
                createdAt: now))
        try await store.fixture.addDevice(people.device(of: user), of: user)
    }

    private func count(in store: SQLiteStore, _ sql: String) async throws -> Int {
        try await store.read { connection throws in try Int.fetchOne(connection.database, sql: sql) ?? 0 }
    }

    private func send(_ numbers: ClosedRange<Int>, through store: SQLiteStore) async throws {
        for start in stride(from: numbers.lowerBound, through: numbers.upperBound, by: 100) {
            try await people.send(
                start...min(start + 99, numbers.upperBound), at: MutableClock().now, through: store)
        }
    }

    @Test("So many messages of a conversation stay, whatever the retention, and their refs with them")
    func bound() async throws {
        try await store { store in
            try await send(1...(kept + 600), through: store)
            let all = InboxSequence(rawValue: UInt64(kept) + 600)
            _ = await store.perform(people.acknowledgement(of: all, by: people.bob))
            let report = try await store.sweep()
            let left = try await count(in: store, "SELECT count(*) FROM messages")
            #expect((kept...kept + 32).contains(left))
            #expect(report.messagesRemoved == kept + 600 - left)
            #expect(try await count(in: store, "SELECT count(*) FROM refs") == left)
            // The chain holds, and goes on.
            let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
            let page = try await store.history(
                of: conversation, for: people.alice, .before(nil), limit: kept, bytes: .max)
            #expect(page?.items.count == kept)
            try await people.send(5_000...5_000, at: MutableClock().now, through: store)
            #expect(try await store.sweep() == SweepReport())
        }
    }

    @Test("A message that a canary has not got yet stays, with all after it")
    func awaited() async throws {
        try await store { store in
            try await send(1...(kept + 300), through: store)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 10), by: people.bob))
            #expect(try await store.sweep().messagesRemoved == 10)
            #expect(try await store.everything(of: people.bob).count == kept + 290)
        }
    }

    @Test("What a person says to a canary, or people to each other, stays")
    func persons() async throws {
        for handles in [("alice", "canary-n1"), ("alice", "bob")] {
            try await TemporaryStore.with({ $0.retention = .unlimited }) { store in
                try await add(people.alice, handles.0, to: store)
                try await add(people.bob, handles.1, to: store)
                try await send(1...(kept + 100), through: store)
                let all = InboxSequence(rawValue: UInt64(kept) + 100)
                _ = await store.perform(people.acknowledgement(of: all, by: people.bob))
                #expect(try await store.sweep() == SweepReport())
            }
        }
    }
}
