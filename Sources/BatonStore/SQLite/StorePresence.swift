import Logging

/// Who has the store open: each living process holds a shared lock on a file that is marked while anybody does.
///
/// The mark without the locks means that the last ones were killed. To be used behind the turnstile only, so that
/// nobody comes between a look and a step.
struct StorePresence: Sendable {
    private let file: FileLock
    private let path: String
    /// Nobody else is there: what is in the log counts as committed as soon as it is read.
    let isFirst: Bool
    /// And the last ones did not shut down cleanly.
    let isAfterUncleanStop: Bool

    init(path: String) throws(SystemFailure) {
        file = try FileLock(path: path + "-alive")
        self.path = path
        isFirst = file.tryLock()
        isAfterUncleanStop = isFirst && file.isMarked
    }

    func enter() throws(SystemFailure) {
        try file.mark(true)
        file.share()
    }

    func leave(logger: Logger) {
        do {
            let turnstile = try Turnstile(path: path)
            turnstile.enter()
            // The descriptors close at the end of the scope, and with them the locks.
            if file.tryLock() { try file.mark(false) }
            turnstile.leave()
        } catch {
            logger.warning("The store could not be marked as closed", metadata: ["error": "\(error)"])
        }
    }
}
