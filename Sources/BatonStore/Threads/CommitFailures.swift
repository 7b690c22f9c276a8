import BatonCore
import Logging
import Synchronization

/// Tells of commits that fail, the log once until one succeeds: a full disk does not fill the log too.
final class CommitFailures: Sendable {
    private let hasFailed = Mutex(false)
    private let logger: Logger
    private let observer: any StoreObserver

    init(logger: Logger, observer: any StoreObserver) {
        self.logger = logger
        self.observer = observer
    }

    func failed(_ error: StoreError, operations: Int, reason: String) {
        observer.commitFailed(error, operations: operations)
        let isNews = hasFailed.withLock { hasFailed in
            defer { hasFailed = true }
            return !hasFailed
        }
        if isNews { logger.error("A commit failed", metadata: ["error": "\(reason)"]) }
    }

    func succeeded() { hasFailed.withLock { $0 = false } }
}
