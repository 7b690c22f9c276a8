import BatonCore
import DequeModule
import Dispatch
import GRDB
import Synchronization

/// What waits for the writer: bounded, in the order of arrival. Any thread puts in, the writer takes out when its
/// transaction has begun. What waits for too long is refused meanwhile (`DeadlineWatch`): nothing of it has been done.
final class WriteQueue: Sendable {
    /// A list of operations with one completion, or a change of accounts.
    enum Entry: Sendable {
        case operations([StoreOperation], completion: @Sendable ([StoreOutcome], CommitStamp?) -> Void)
        case job(WriteJob)

        var count: Int {
            switch self {
            case .operations(let operations, _): operations.count
            case .job: 1
            }
        }

        /// Answers that nothing was done.
        func fail(_ error: StoreError) {
            switch self {
            case .operations(let operations, let completion): completion(operations.map { _ in .failed(error) }, nil)
            case .job(let job): job.fail(error)
            }
        }
    }

    enum Refusal: Error { case full, closed }

    private struct State {
        var entries: Deque<(entry: Entry, deadline: ContinuousClock.Instant)> = []
        /// Operations of the entries, and those that the writer has taken and not finished.
        var operations = 0
        var isWriterWaiting = false
        var isWatchWaiting = false
        var isClosed = false
        var isWatchOver = false
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)
    private let watchWakeUp = DispatchSemaphore(value: 0)
    private let limit: Int
    let patience: Duration

    /// - Parameter patience: for how long an entry may wait to be taken.
    init(limit: Int, patience: Duration) {
        self.limit = limit
        self.patience = patience
    }

    func put(_ entry: Entry, at now: ContinuousClock.Instant = .now) throws(Refusal) {
        let outcome: Result<(writer: Bool, watch: Bool), Refusal> = state.withLock { state in
            guard !state.isClosed else { return .failure(.closed) }
            guard state.operations + entry.count <= limit else { return .failure(.full) }
            state.operations += entry.count
            state.entries.append((entry, now + patience))
            defer { (state.isWriterWaiting, state.isWatchWaiting) = (false, false) }
            return .success((state.isWriterWaiting, state.isWatchWaiting))
        }
        let waiting = try outcome.get()
        if waiting.writer { wakeUp.signal() }
        if waiting.watch { watchWakeUp.signal() }
    }

    // MARK: The writer

    /// Waits until something has come.
    ///
    /// - Returns: false where the queue is closed and nothing is left.
    func waitForWork() -> Bool {
        while true {
            let (isEmpty, isClosed) = state.withLock { state in
                state.isWriterWaiting = state.entries.isEmpty && !state.isClosed
                return (state.entries.isEmpty, state.isClosed)
            }
            if !isEmpty { return true }
            if isClosed { return false }
            wakeUp.wait()
        }
    }

    /// Takes what has come, without waiting, until it is so many operations or more.
    func takePresent(upTo operations: Int) -> [Entry] {
        state.withLock { state in
            var taken: [Entry] = []
            var count = 0
            while count < operations, let next = state.entries.popFirst() {
                taken.append(next.entry)
                count += next.entry.count
            }
            return taken
        }
    }

    func finished(operations: Int) {
        state.withLock { $0.operations -= operations }
    }

    /// Operations that wait or are under way.
    var count: Int { state.withLock { $0.operations } }

    func close() {
        let isWaiting = state.withLock { state in
            state.isClosed = true
            defer { state.isWriterWaiting = false }
            return state.isWriterWaiting
        }
        if isWaiting { wakeUp.signal() }
    }

    // MARK: Deadlines

    /// Waits until something has waited for too long.
    ///
    /// - Returns: what is to be refused, maybe nothing; nil when the watch is over.
    func waitForOverdue() -> [Entry]? {
        let (deadline, isOver) = state.withLock { state in
            state.isWatchWaiting = state.entries.isEmpty && !state.isWatchOver
            return (state.entries.first?.deadline, state.isWatchOver)
        }
        if isOver { return nil }
        guard let deadline else {
            watchWakeUp.wait()
            return []
        }
        let wait = max(.zero, deadline - .now)
        _ = watchWakeUp.wait(timeout: .now() + .nanoseconds(Int(wait / .nanoseconds(1))))
        return takeOverdue(at: .now)
    }

    /// Takes what may wait no longer.
    func takeOverdue(at now: ContinuousClock.Instant) -> [Entry] {
        state.withLock { state in
            let overdue = state.entries.prefix { $0.deadline <= now }.map(\.entry)
            state.entries.removeFirst(overdue.count)
            for entry in overdue { state.operations -= entry.count }
            return overdue
        }
    }

    /// Nobody waits any more, or ever will.
    func endWatch() {
        state.withLock { $0.isWatchOver = true }
        watchWakeUp.signal()
    }
}

/// A change on the cold path, carried out by the writer among its operations.
struct WriteJob: Sendable {
    /// Runs in a savepoint of the transaction. What it returns is called after the commit. An error of SQLite spoils
    /// the transaction; those that are answers belong into the returned closure.
    let run: @Sendable (Database) throws -> @Sendable () -> Void
    /// Called instead where the transaction failed.
    let fail: @Sendable (StoreError) -> Void
}
