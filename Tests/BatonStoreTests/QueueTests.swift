import BatonCore
import BatonTestKit
import GRDB
import Synchronization
import Testing

@testable import BatonStore

@Suite("The bounds of the store's queues, and what its writer's connection promises", .timeLimit(.minutes(1)))
struct QueueTests {
    @Test("A submission that does not fit is refused whole; one that fits exactly is carried out")
    func submissions() async throws {
        try await TemporaryStore.with { store in
            let limit = Limits.Store.queuedOperations
            let operation = People().acknowledgement(of: InboxSequence(rawValue: 0), by: People().alice)
            let outcomes = await store.perform(Array(repeating: operation, count: limit + 1))
            #expect(outcomes == Array(repeating: .failed(.overloaded), count: limit + 1))
            let carriedOut = await store.perform(Array(repeating: operation, count: limit))
            #expect(carriedOut == Array(repeating: .refused(.deviceRevoked(.loggedOut)), count: limit))
        }
    }

    @Test("Operations count against the bound until the writer has finished them")
    func finishing() throws {
        let queue = WriteQueue(limit: 3, patience: .seconds(5))
        let operation = People().acknowledgement(of: InboxSequence(rawValue: 0), by: People().alice)
        let two = WriteQueue.Entry.operations([operation, operation], completion: { _, _ in })
        try queue.put(two)
        #expect(throws: WriteQueue.Refusal.full) { try queue.put(two) }
        #expect(queue.takePresent(upTo: 2).count == 1)
        #expect(throws: WriteQueue.Refusal.full) { try queue.put(two) }
        queue.finished(operations: 2)
        try queue.put(two)
        queue.close()
        #expect(throws: WriteQueue.Refusal.closed) { try queue.put(two) }
    }

    @Test("What has waited for its time is refused, what waits less long or was taken is not")
    func deadlines() throws {
        let queue = WriteQueue(limit: 10, patience: .seconds(5))
        let operation = People().acknowledgement(of: InboxSequence(rawValue: 0), by: People().alice)
        let start = ContinuousClock.now
        func put(_ count: Int, after seconds: Int) throws {
            let operations = Array(repeating: operation, count: count)
            try queue.put(.operations(operations, completion: { _, _ in }), at: start + .seconds(seconds))
        }
        for seconds in 0..<4 { try put(2, after: seconds) }
        #expect(queue.takePresent(upTo: 1).count == 1)
        #expect(queue.takeOverdue(at: start + .seconds(5)).isEmpty)
        #expect(queue.takeOverdue(at: start + .seconds(7)).map(\.count) == [2, 2])
        // What was refused makes room at once, what was taken when it is finished.
        #expect(queue.count == 4)
        try put(6, after: 8)
        #expect(throws: WriteQueue.Refusal.full) { try put(1, after: 8) }
        queue.finished(operations: 2)
        try put(2, after: 9)
        #expect(queue.takePresent(upTo: 3).map(\.count) == [2, 6])
        queue.close()
        #expect(queue.waitForWork())
        #expect(queue.takePresent(upTo: .max).count == 1)
        #expect(!queue.waitForWork())
        queue.endWatch()
        #expect(queue.waitForOverdue() == nil)
    }

    @Test("A read beyond the bound fails at once, and the others are left alone")
    func reads() {
        let pool = ReadPool(limit: Limits.Store.queuedReads)
        let failures = Mutex<[StoreError]>([])
        let add: @Sendable () -> Void = {
            pool.put(ReadPool.Job(run: { _ in }, fail: { error in failures.withLock { $0.append(error) } }))
        }
        for _ in 0..<Limits.Store.queuedReads { add() }
        #expect(failures.withLock { $0 }.isEmpty)
        add()
        #expect(failures.withLock { $0 } == [.overloaded])
        pool.close(threads: 0)
        add()
        #expect(failures.withLock { $0 } == [.overloaded, .closed])
    }

    @Test("The writer syncs the log at every commit")
    func pragmas() async throws {
        try await TemporaryStore.with { store in
            let modes = try await store.write(failure: { $0 as StoreError }) { db throws in
                let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous")
                return .success([
                    synchronous.map(String.init), try String.fetchOne(db, sql: "PRAGMA journal_mode"),
                ])
            }
            #expect(modes == ["2", "wal"])
        }
    }
}
