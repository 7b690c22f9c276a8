import Dispatch
import Synchronization

/// Tells the opening thread whether the one that it started is ready.
final class Handshake: Sendable {
    private let failure = Mutex<SQLiteFailure?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    func done(_ error: SQLiteFailure?) {
        failure.withLock { $0 = error }
        semaphore.signal()
    }

    func wait() throws(SQLiteFailure) {
        semaphore.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
