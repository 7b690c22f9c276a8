import BatonCore
import Dispatch
import GRDB
import GRDBSQLite
import Logging
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

    /// - Returns: false when closed.
    func wait() -> Bool {
        semaphore.wait()
        return state.withLock { state in
            state.isRequested = false
            return !state.isClosed
        }
    }
}

/// Brings the write-ahead log into the database, outside of the commits' path.
///
/// First without keeping anybody waiting, which does nearly all of the work; then, for the few pages that came
/// meanwhile, behind the turnstile with no writer under way, so that the log starts anew and stays bounded.
struct Checkpointer {
    private let connection: OpaquePointer
    private let turnstile: Turnstile
    private let logger: Logger
    private let observer: any StoreObserver

    init(database: Database, path: String, logger: Logger, observer: any StoreObserver) throws {
        guard let connection = database.sqliteConnection else {
            throw SQLiteFailure(code: SQLITE_MISUSE, connection: nil)
        }
        self.connection = connection
        turnstile = try Turnstile(path: path)
        self.logger = logger
        self.observer = observer
    }

    func run(_ signal: CheckpointSignal) {
        while signal.wait() { checkpoint() }
    }

    func checkpoint() {
        let clock = ContinuousClock()
        let start = clock.now
        var pages: Int32 = 0
        var code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, &pages, nil)
        let blocked = clock.now
        // Another process that is checkpointing right now does the same work.
        if code == SQLITE_OK {
            turnstile.enter()
            code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_RESTART, nil, nil)
            turnstile.leave()
        }
        let end = clock.now
        if code != SQLITE_OK, code & 0xff != SQLITE_BUSY {
            let failure = SQLiteFailure(code: code, connection: connection)
            logger.error("A checkpoint failed", metadata: ["error": "\(failure)"])
        }
        observer.checkpointed(
            CheckpointReport(
                walPages: Int(pages), duration: end - start, blocked: end - blocked, isComplete: code == SQLITE_OK))
    }
}
