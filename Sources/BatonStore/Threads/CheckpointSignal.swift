import Dispatch
import Synchronization

/// Asks the checkpoint thread for a checkpoint; asking again before it began is one request.
final class CheckpointSignal: Sendable {
    private struct State {
        var isRequested = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let semaphore = DispatchSemaphore(value: 0)

    func request() {
        let isNew = state.withLock { state in
            defer { state.isRequested = true }
            return !state.isRequested
        }
        if isNew { semaphore.signal() }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        semaphore.signal()
    }

    /// Waits for a request, or so long at most. What is requested within that time makes it no shorter.
    ///
    /// - Returns: false when closed.
    func wait(seconds: Double?) -> Bool {
        if let seconds {
            // Only a close is worth waking up for.
            let deadline = DispatchTime.now() + seconds
            while semaphore.wait(timeout: deadline) == .success {
                if state.withLock({ $0.isClosed }) { return false }
            }
        } else {
            semaphore.wait()
        }
        return state.withLock { state in
            state.isRequested = false
            return !state.isClosed
        }
    }
}
