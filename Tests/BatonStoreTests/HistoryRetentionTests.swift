import BatonCore
import BatonStore
import BatonTestKit
import Testing

@Suite("History whose beginning is gone", .timeLimit(.minutes(1)))
struct HistoryRetentionTests {
    @Test("Reading forwards begins at the first message that is still there", arguments: [1, 31, 32, 33, 64, 90])
    func forwards(gone: Int) async throws {
        let clock = MutableClock()
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try await TemporaryStore.open(settings, clock: clock) { store in
                let people = People()
                try await people.register(in: store)
                let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
                try await people.send(1...gone, at: clock.now, through: store)
                clock.advance(by: .seconds(31 * 86_400))
                try await people.send(gone + 1...100, at: clock.now, through: store)
                _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 100), by: people.bob))
                #expect(try await store.sweep().messagesRemoved == gone)

                var read: [UInt64] = []
                while let page = try await store.history(
                    of: conversation, for: people.alice, .after(ConversationSequence(rawValue: read.last ?? 0)),
                    limit: 7, bytes: .max), !page.items.isEmpty
                {
                    #expect(page.items.count == 7 || !page.hasMore)
                    #expect(page.hasMore == (page.items.last?.id.sequence.rawValue != 100))
                    read += page.items.map(\.id.sequence.rawValue)
                }
                #expect(read == Array(UInt64(gone) + 1...100))
                let all = try await store.history(
                    of: conversation, for: people.alice, .before(nil), limit: 200, bytes: .max)
                #expect(all?.items.map(\.id.sequence.rawValue) == read)
            }
        }
    }

    @Test(
        "Reading backwards ends at the first content that is still there", arguments: [0, 1, 31, 32, 33, 64, 99, 100])
    func backwards(gone: Int) async throws {
        try await TemporaryStore.with {
            $0.retention = .onDelivery
        } _: { store in
            let people = People()
            try await people.register(in: store)
            let conversation = try #require(ConversationID(between: people.alice, and: people.bob))
            try await people.send(1...100, at: MutableClock().now, through: store)
            // The newest message of all stays as it is, so it is somebody else's.
            let carol = UserID(rawValue: 303)
            try await store.fixture.addUser(carol)
            _ = await store.perform(people.message("last", to: carol))
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: UInt64(gone)), by: people.bob))
            #expect(try await store.sweep().messagesEmptied == gone)

            var read: [UInt64] = []
            while let page = try await store.history(
                of: conversation, for: people.alice, .before(read.last.map(ConversationSequence.init(rawValue:))),
                limit: 7, bytes: .max), !page.items.isEmpty
            {
                #expect(page.hasMore == (page.items.first?.id.sequence.rawValue != UInt64(gone) + 1))
                read += page.items.reversed().map(\.id.sequence.rawValue)
            }
            #expect(read == (1...100).dropFirst(gone).reversed())
            let summary = try await store.conversation(conversation, of: people.alice)
            #expect(summary?.last?.id.sequence.rawValue == (gone == 100 ? nil : 100))
        }
    }
}
