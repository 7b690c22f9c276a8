import BatonCore
import BatonStore
import Dispatch
import Testing

@Suite("Which commit an outcome was in")
struct CommitStampTests {
    @Test("Each submission is told its commit's number, what it carried, and when it was over")
    func stamps() async throws {
        try await TemporaryStore.with { store in
            let people = People()
            try await people.register(in: store)
            let began = DispatchTime.now().uptimeNanoseconds
            let first = try await Self.stamp([people.message("m1", to: people.bob)], in: store)
            let second = try await Self.stamp(
                [people.message("m2", to: people.bob), people.message("m3", to: people.bob)], in: store)
            #expect(second.number > first.number)
            #expect(second.operations == 2)
            #expect(began < first.endedAt && first.endedAt < second.endedAt)
            #expect(second.endedAt <= DispatchTime.now().uptimeNanoseconds)
            #expect(first.committed > .zero && first.committed < .seconds(60))
        }
    }

    @Test("What was not committed has no stamp")
    func none() async throws {
        let store = try await TemporaryStore.with { $0 }
        let (outcomes, stamp) = await Self.submit([People().message("m1", to: People().bob)], in: store)
        #expect(outcomes == [.failed(.closed)] && stamp == nil)
    }

    private static func stamp(_ operations: [StoreOperation], in store: SQLiteStore) async throws -> CommitStamp {
        let (outcomes, stamp) = await submit(operations, in: store)
        #expect(outcomes.count == operations.count)
        return try #require(stamp)
    }

    private static func submit(
        _ operations: [StoreOperation], in store: SQLiteStore
    ) async -> ([StoreOutcome], CommitStamp?) {
        await withCheckedContinuation { continuation in
            store.submitStamped(operations) { continuation.resume(returning: ($0, $1)) }
        }
    }
}
