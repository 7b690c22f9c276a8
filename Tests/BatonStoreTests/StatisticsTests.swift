import BatonCore
import BatonStore
import BatonTestKit
import Testing

@Suite("Numbers about the store")
struct StatisticsTests {
    @Test("What waits in inboxes is counted up to the bound, and no longer once it is acknowledged")
    func inboxEvents() async throws {
        try await TemporaryStore.with { store in
            let people = People()
            try await people.register(in: store)
            #expect(try await store.inboxEvents(upTo: 10) == 0)
            try await people.send(1...10, at: Timestamp(milliseconds: 1_767_225_600_000), through: store)
            for (bound, count) in [(0, 0), (9, 9), (10, 10), (11, 10)] {
                #expect(try await store.inboxEvents(upTo: bound) == count)
            }
            _ = await store.perform(people.acknowledgement(of: InboxSequence(rawValue: 10), by: people.bob))
            // What is left are receipts, for alice.
            let left = try await store.everything(of: people.alice).count
            #expect(try await store.inboxEvents(upTo: 100) == left)
        }
    }
}
