import BatonCore
import DequeModule
import Dispatch
import GRDB
import Synchronization

/// The queue of reads and the threads that carry them out, each on its own connection.
final class ReadPool: Sendable {
    struct Job: Sendable {
        let run: @Sendable (ReadConnection) throws -> Void
        let fail: @Sendable (StoreError) -> Void
    }

    private struct State {
        var jobs: Deque<Job> = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)
    private let limit: Int

    /// Reads that one thread takes at a time and carries out in one transaction.
    private static let batch = 16

    init(limit: Int) {
        self.limit = limit
    }

    func put(_ job: Job) {
        let error: StoreError? = state.withLock { state in
            if state.isClosed { return .closed }
            if state.jobs.count >= limit { return .overloaded }
            state.jobs.append(job)
            return nil
        }
        if let error { job.fail(error) } else { ready.signal() }
    }

    func close(threads: Int) {
        state.withLock { $0.isClosed = true }
        for _ in 0..<threads { ready.signal() }
    }

    /// One thread's loop. Ends when the pool is closed and empty.
    func serve(_ connection: ReadConnection) {
        while true {
            ready.wait()
            let (jobs, isClosed) = state.withLock { state in
                let count = min(Self.batch, state.jobs.count)
                let jobs = Array(state.jobs.prefix(count))
                state.jobs.removeFirst(count)
                return (jobs, state.isClosed)
            }
            if jobs.isEmpty {
                if isClosed { return }
                continue
            }
            run(jobs, on: connection)
        }
    }

    private func run(_ jobs: [Job], on connection: ReadConnection) {
        do {
            try connection.begin()
        } catch {
            for job in jobs { job.fail(error.storeError) }
            return
        }
        for job in jobs {
            do { try job.run(connection) } catch { job.fail(SQLiteFailure(error).storeError) }
        }
        connection.end()
    }
}
