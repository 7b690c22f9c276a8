import BatonCore
import DequeModule
import Dispatch
import GRDB
import Synchronization

/// What waits for the writer: bounded, in the order of arrival. Any thread puts in, the writer takes out.
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
    }

    enum Refusal: Error { case full, closed }

    private struct State {
        var entries: Deque<Entry> = []
        /// Operations of the entries, and those that the writer has taken and not finished.
        var operations = 0
        var isWriterWaiting = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func put(_ entry: Entry) throws(Refusal) {
        let outcome: Result<Bool, Refusal> = state.withLock { state in
            guard !state.isClosed else { return .failure(.closed) }
            guard state.operations + entry.count <= limit else { return .failure(.full) }
            state.operations += entry.count
            state.entries.append(entry)
            defer { state.isWriterWaiting = false }
            return .success(state.isWriterWaiting)
        }
        if try outcome.get() { wakeUp.signal() }
    }

    /// Takes all entries that have come; waits where there is none. Nil: closed, and nothing is left.
    func takeAll() -> Deque<Entry>? {
        while true {
            let (entries, isClosed) = state.withLock { state in
                let entries = state.entries
                state.entries = []
                state.isWriterWaiting = entries.isEmpty && !state.isClosed
                return (entries, state.isClosed)
            }
            if !entries.isEmpty { return entries }
            if isClosed { return nil }
            wakeUp.wait()
        }
    }

    /// Takes what has come, without waiting.
    func takePresent() -> Deque<Entry> {
        state.withLock { state in
            let entries = state.entries
            state.entries = []
            return entries
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
}

/// A change on the cold path, carried out by the writer among its operations.
struct WriteJob: Sendable {
    /// Runs in a savepoint of the transaction. What it returns is called after the commit. An error of SQLite spoils
    /// the transaction; those that are answers belong into the returned closure.
    let run: @Sendable (Database) throws -> @Sendable () -> Void
    /// Called instead where the transaction failed.
    let fail: @Sendable (StoreError) -> Void
}
