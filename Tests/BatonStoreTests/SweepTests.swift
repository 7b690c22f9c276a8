import BatonCore
import BatonTestKit
import Testing

@testable import BatonStore

@Suite("What a sweep takes away and what it leaves", .timeLimit(.minutes(1)))
struct SweepTests {
    private let people = People()
    private let clock = MutableClock()

    @Test("A message stays while a device waits for it, and goes after its days")
    func awaited() async throws {
        try await store { store in
            try await people.send(1...3, at: clock.now, through: store)
            clock.advance(by: .days(31))
            #expect(try await store.sweep().messagesRemoved == 0)
            #expect(try await store.inbox(of: people.bob).events.count == 3)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 1), by: people.bob))
            #expect(try await store.sweep().messagesRemoved == 1)
            #expect(try await store.inbox(of: people.bob, after: 1).events.count == 2)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 3), by: people.bob))
            // The newest of all stays, for numbers are counted on from it.
            #expect(try await store.sweep().messagesRemoved == 1)
            #expect(try await history(in: store) == [3])
        }
    }

    @Test("More messages than one step looks at go in one sweep, with their refs")
    func steps() async throws {
        try await store { store in
            let count = 2 * SQLiteStore.sweepRows + 1
            try await people.send(1...count, at: clock.now, through: store)
            let last = InboxSequence(rawValue: UInt64(count))
            _ = await store.perform(people.acknowledgement(of: last, by: people.bob))
            clock.advance(by: .days(31))
            try await people.send(count + 1...count + 1, at: clock.now, through: store)
            let report = try await store.sweep()
            #expect(report.messagesRemoved == count && report.refsRemoved == count)
        }
    }

    @Test("A message younger than its days stays, whoever has it")
    func young() async throws {
        try await store { store in
            try await people.send(1...3, at: clock.now, through: store)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 3), by: people.bob))
            clock.advance(by: .days(29))
            #expect(try await store.sweep() == SweepReport())
            #expect(try await history(in: store) == [1, 2, 3])
        }
    }

    @Test("On delivery a message is emptied, and a retry of it is still recognised")
    func onDelivery() async throws {
        try await store(.onDelivery) { store in
            try await people.send(1...3, at: clock.now, through: store)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 2), by: people.bob))
            let report = try await store.sweep()
            #expect(report.messagesEmptied == 2 && report.messagesRemoved == 0)
            #expect(try await history(in: store) == [3])
            guard case .sent(let repeated) = await store.perform(people.message("m1", to: people.bob)) else {
                Issue.record("a retry was refused")
                return
            }
            #expect(repeated.isRepeat && repeated.id.sequence.rawValue == 1)
            let other = await store.perform(people.message("m1", to: people.bob, payload: [9]))
            #expect(other == .refused(.refReused(first: repeated.id)))
        }
    }

    @Test("On delivery an answer outlives its delivery until what came before it has gone")
    func order() async throws {
        try await store(.onDelivery) { store in
            _ = await store.perform(people.message("question", to: people.bob, at: clock.now.milliseconds))
            clock.advance(by: .days(46))
            // Nobody's inbox holds it any more, but it was not delivered.
            #expect(try await store.sweep().devicesIdled == 2)
            _ = await store.perform(people.message("answer", to: people.alice, at: clock.now.milliseconds))
            _ = await store.perform(people.message("last", to: people.bob, at: clock.now.milliseconds))
            let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
            _ = await store.perform(
                .read(
                    ReadRequest(
                        user: people.alice, device: people.device(of: people.alice), conversation: conversation,
                        sequence: ConversationSequence(rawValue: 3), at: clock.now)))
            try await store.sweep()
            #expect(try await history(in: store) == [1, 2, 3])
        }
    }

    @Test("A device idle for 45 days releases the inbox and has to resync")
    func idle() async throws {
        try await store { store in
            try await people.send(1...3, at: clock.now, through: store)
            clock.advance(by: .days(46))
            let report = try await store.sweep()
            #expect(report.devicesIdled == 2 && report.messagesRemoved == 2)
            let device = people.device(of: people.bob)
            await #expect(throws: StoreError.self, "it takes a commit to let the inbox wait for it") {
                _ = try await store.state(of: people.bob, device: device)
            }
            let request = ConnectRequest(user: people.bob, device: device, at: clock.now)
            guard case .connected(let state, _) = await store.perform(.connect(request)) else {
                Issue.record("an idle device was refused")
                return
            }
            #expect(state.truncated > state.cursor && state.truncated == state.head)
            // It holds its events back again.
            _ = await store.perform(people.message("new", to: people.bob, at: clock.now.milliseconds))
            #expect(try await store.inbox(of: people.bob, after: 3).events.map(\.sequence.rawValue) == [4])
            #expect(try await store.sweep().devicesIdled == 0)
        }
    }

    @Test("A device that acknowledges is in use, however long its connection lasts")
    func acknowledging() async throws {
        try await store { store in
            clock.advance(by: .days(44))
            try await people.send(1...1, at: clock.now, through: store)
            _ = await store.perform(
                .acknowledge(
                    AcknowledgeRequest(
                        user: people.bob, device: people.device(of: people.bob), position: InboxSequence(rawValue: 1),
                        at: clock.now)))
            clock.advance(by: .days(2))
            // Alice's, which did not.
            #expect(try await store.sweep().devicesIdled == 1)
            #expect(
                try await store.devices(of: people.bob).first?.lastUsedAt
                    == clock.now.advanced(byMilliseconds: -2 * 86_400_000))
        }
    }

    @Test("A ref is forgotten after 30 days and not before")
    func refs() async throws {
        try await store { store in
            try await people.send(1...3, at: clock.now, through: store)
            clock.advance(by: .days(29))
            #expect(try await store.sweep().refsRemoved == 0)
            clock.advance(by: .days(2))
            #expect(try await store.sweep().refsRemoved == 3)
            let again = people.message("m3", to: people.bob, at: clock.now.milliseconds)
            guard case .sent(let message) = await store.perform(again) else {
                Issue.record("a name that is free again was refused")
                return
            }
            #expect(!message.isRepeat && message.id.sequence.rawValue == 4)
        }
    }

    @Test("Unread counts stay exact when the messages they count are gone")
    func unread() async throws {
        try await store { store in
            try await people.send(1...70, at: clock.now, through: store)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 70), by: people.bob))
            #expect(try await unread(upTo: 10, in: store) == 60)
            clock.advance(by: .days(31))
            #expect(try await store.sweep().messagesRemoved == 69)
            #expect(try await unread(upTo: 40, in: store) == 30)
            #expect(try await unread(upTo: 70, in: store) == 0)
        }
    }

    @Test("While another process sweeps, a sweep does nothing")
    func other() async throws {
        try await store { store in
            try await people.send(1...3, at: clock.now, through: store)
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 3), by: people.bob))
            clock.advance(by: .days(31))
            let lock = try FileLock(path: store.settings.path + "-sweep")
            #expect(lock.tryLock())
            #expect(try await store.sweep() == SweepReport())
            lock.unlock()
            #expect(try await store.sweep().messagesRemoved == 2)
        }
    }

    private func store(
        _ retention: MessageRetention = .days(30), _ body: (SQLiteStore) async throws -> Void
    ) async throws {
        try await TemporaryStore.withFolder { folder in
            var settings = StoreSettings(path: folder + "/baton.db")
            settings.retention = retention
            try await TemporaryStore.open(settings, clock: clock) { store in
                try await people.register(in: store)
                try await body(store)
            }
        }
    }

    private func history(in store: SQLiteStore) async throws -> [UInt64]? {
        let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
        return try await store.history(of: conversation, for: people.bob, .after(.zero), limit: 200, bytes: .max)?.items
            .map(\.id.sequence.rawValue)
    }

    private func unread(upTo sequence: UInt64, in store: SQLiteStore) async throws -> Int? {
        let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
        _ = await store.perform(
            .read(
                ReadRequest(
                    user: people.bob, device: people.device(of: people.bob), conversation: conversation,
                    sequence: ConversationSequence(rawValue: sequence), at: clock.now)))
        return try await store.conversation(conversation, of: people.bob)?.unread
    }
}

extension Duration {
    fileprivate static func days(_ days: Int64) -> Duration { .seconds(days * 86_400) }
}
