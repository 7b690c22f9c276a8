import BatonCore
import GRDB
import GRDBSQLite
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Brings the write-ahead log into the database, outside of the commits' path.
///
/// First without keeping anybody waiting, which does nearly all of the work; then, for the few pages that came
/// meanwhile, behind the turnstile with no writer under way, so that the log starts anew and stays bounded. A log that
/// has become large is cut off then.
///
/// A program that reads one state of the database for long keeps the log from starting anew. While it does, a look a
/// second sees that nothing has changed, and keeps nobody waiting.
struct Checkpointer {
    private let connection: OpaquePointer
    private let turnstile: Turnstile
    private let settings: StoreSettings
    private let logger: Logger
    private let observer: any StoreObserver
    /// Frames that could be brought into the database when the log last could not start anew.
    private var stuckAt: Int32?
    /// The log was told to be large and held.
    private var hasWarned = false

    /// Between two looks while a reader is in the way.
    static let retrySeconds = 1.0

    init(database: Database, settings: StoreSettings, logger: Logger, observer: any StoreObserver) throws {
        guard let connection = database.sqliteConnection else {
            throw SQLiteFailure(code: SQLITE_MISUSE, connection: nil)
        }
        self.connection = connection
        self.settings = settings
        turnstile = try Turnstile(path: settings.path)
        self.logger = logger
        self.observer = observer
    }

    mutating func run(_ signal: CheckpointSignal) {
        var isComplete = true
        while signal.wait(seconds: isComplete ? nil : Self.retrySeconds) { isComplete = checkpoint() }
    }

    /// - Returns: whether nothing is left to do before the next commit.
    private mutating func checkpoint() -> Bool {
        let clock = ContinuousClock()
        let start = clock.now
        var (frames, done): (Int32, Int32) = (0, 0)
        let code = sqlite3_wal_checkpoint_v2(connection, nil, SQLITE_CHECKPOINT_PASSIVE, &frames, &done)
        // Another process that is checkpointing right now does the same work.
        guard code == SQLITE_OK else { return hasFailed(code) }
        let blocked = clock.now
        // A reader that stands where it stood is not waited for again.
        let isWorthWaiting = done == frames || done != stuckAt
        let restarted = isWorthWaiting ? restart() : SQLITE_BUSY
        let isComplete = restarted == SQLITE_OK
        let end = clock.now
        stuckAt = isComplete ? nil : done
        let report = CheckpointReport(
            walPages: Int(frames), duration: end - start, blocked: isWorthWaiting ? end - blocked : .zero,
            isComplete: isComplete,
            isHeld: restarted & 0xff == SQLITE_BUSY && logBytes > settings.shrinkBytes)
        tell(report)
        observer.checkpointed(report)
        return isComplete || hasFailed(restarted)
    }

    /// Lets the log start anew, with no writer under way.
    ///
    /// - Returns: SQLite's code.
    private func restart() -> Int32 {
        let mode = logBytes > settings.shrinkBytes ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART
        turnstile.enter()
        let code = sqlite3_wal_checkpoint_v2(connection, nil, mode, nil, nil)
        turnstile.leave()
        return code
    }

    /// - Returns: whether it is of no use to try again soon.
    private func hasFailed(_ code: Int32) -> Bool {
        guard code & 0xff != SQLITE_BUSY else { return false }
        let failure = SQLiteFailure(code: code, connection: connection)
        logger.error("A checkpoint failed", metadata: ["error": "\(failure)"])
        return true
    }

    private mutating func tell(_ report: CheckpointReport) {
        if report.isHeld, !hasWarned {
            hasWarned = true
            logger.warning(
                "a program reads one state of the store for long, and its log grows: baton doctor names the program",
                metadata: ["bytes": "\(logBytes)"])
        } else if report.isComplete, hasWarned {
            hasWarned = false
            logger.notice("the store's log is small again", metadata: ["bytes": "\(logBytes)"])
        }
    }

    private var logBytes: Int {
        var status = stat()
        return stat(settings.path + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }
}
