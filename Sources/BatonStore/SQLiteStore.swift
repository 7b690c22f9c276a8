public import BatonCore
import GRDB
import GRDBSQLite
public import Logging
import Synchronization

/// The store in one SQLite file, which several processes of one host may share.
///
/// One thread writes (`Writer`), a few read (`ReadPool`), one brings the log into the file (`Checkpointer`), one refuses
/// what waits for too long (`DeadlineWatch`). All are there from `open` to `close`. `run` removes what is too old, and belongs into the node's group of services.
public final class SQLiteStore: Sendable {
    let settings: StoreSettings
    let clock: any CivilClock
    let logger: Logger
    let observer: any StoreObserver
    let writes: WriteQueue
    let reads = ReadPool(limit: Limits.Store.queuedReads)
    private let checkpoints = CheckpointSignal()
    private let threads = StoreThreads()
    private let background = StoreThreads()
    private let presence: Mutex<StorePresence?>
    private let isClosed = Mutex(false)

    private init(
        settings: StoreSettings, clock: any CivilClock, logger: Logger, observer: any StoreObserver,
        presence: StorePresence
    ) {
        self.settings = settings
        writes = WriteQueue(limit: Limits.Store.queuedOperations, patience: settings.patience)
        self.clock = clock
        self.logger = logger
        self.observer = observer
        self.presence = Mutex(presence)
    }

    /// Opens the file, or makes it. Blocks: for a moment, or after an unclean stop as long as the check takes.
    public static func open(
        _ settings: StoreSettings, clock: any CivilClock, logger: Logger,
        observer: any StoreObserver = SilentStoreObserver(),
        progress: (StoreOpenProgress) -> Void = { _ in }
    ) throws(StoreOpenError) -> SQLiteStore {
        let path = settings.path
        let connections = Connections(settings: settings)
        do {
            for file in try StoreFiles.tighten(path: path) {
                logger.warning(
                    file.isTightened
                        ? "others could read a file of the store; now only its owner can"
                        : "others can read a file of the store, which belongs to another user: run chmod 600 on it",
                    metadata: ["file": "\(file.path)", "mode": "\(String(file.mode, radix: 8))"])
            }
            let turnstile = try Turnstile(path: path)
            progress(.waitingForLock)
            turnstile.enter()
            // Given back with its descriptors, whatever happens below.
            let presence = try StorePresence(path: path)
            // Whatever others left in the log before they synced it, or could not sync, is on disk before it counts.
            if presence.isFirst { try LogRewrite.run(path: path) }
            let writer = try connections.writer()
            if presence.isAfterUncleanStop { try IntegrityCheck.run(on: writer, path: path, progress: progress) }
            try migrate(
                writer, path: path, isAlone: presence.isFirst, clock: clock, logger: logger, progress: progress)
            try presence.enter()
            turnstile.leave()
            let store = SQLiteStore(
                settings: settings, clock: clock, logger: logger, observer: observer, presence: presence)
            try store.start(writer: writer, connections)
            return store
        } catch let error as StoreOpenError {
            throw error
        } catch let error as SystemFailure {
            throw .unusable(path: path, reason: error.description)
        } catch {
            let failure = SQLiteFailure(error)
            if [SQLITE_CORRUPT, SQLITE_NOTADB].contains(failure.primaryCode) {
                throw .damaged(path: path, findings: [failure.description])
            }
            throw .unusable(path: path, reason: failure.description)
        }
    }

    private static func migrate(
        _ queue: DatabaseQueue, path: String, isAlone: Bool, clock: any CivilClock, logger: Logger,
        progress: (StoreOpenProgress) -> Void
    ) throws {
        let found = try queue.inDatabase(Schema.state)
        guard found.admits <= Schema.version else { throw StoreOpenError.newerSchema(path: path) }
        if found.version < Schema.version {
            progress(.migrating)
            try Schema.migrate(queue, now: clock.now.milliseconds)
        }
        guard found.admits < Schema.version else { return }
        if isAlone {
            try queue.inDatabase(Schema.admitOnlyThisVersion)
        } else {
            logger.notice(
                "Older nodes may use the store; what they would misread is refused until all nodes were stopped once",
                metadata: ["admits": "\(found.admits)", "version": "\(Schema.version)"])
        }
    }

    /// Closes the store: what is queued is still carried out, later work is refused. Returns when all is on disk.
    public func close() async {
        let isFirst = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return !isClosed
        }
        if isFirst { stop() }
        await threads.join()
        // The last connection to close brings the log into the file, which one for reads could not.
        endBackground()
        await background.join()
        // Dropped in any case: its lock goes with it.
        presence.withLock { presence in
            guard let last = presence else { return }
            last.leave(logger: logger)
            presence = nil
        }
    }

    private func stop() {
        writes.close()
        reads.close(threads: settings.readers)
    }

    private func endBackground() {
        checkpoints.close()
        writes.endWatch()
    }

    // MARK: Threads

    private func start(writer: DatabaseQueue, _ connections: Connections) throws {
        let started = Handshake()
        let failures = CommitFailures(logger: logger, observer: observer)
        background.start("baton-deadlines") { [writes] in DeadlineWatch(queue: writes, failures: failures).run() }
        do {
            threads.start("baton-writer") { [self] in
                serve(writer, started) { db throws in
                    var writer = try Writer(
                        database: db, queue: writes, settings: settings, checkpointer: checkpoints, failures: failures,
                        logger: logger, observer: observer)
                    started.done(nil)
                    writer.run()
                }
            }
            try started.wait()
            for number in 0..<settings.readers {
                let queue = try connections.reader(number)
                threads.start("baton-reader-\(number)") { [self] in
                    serve(queue, started) { db throws in
                        let connection = try ReadConnection(db, keptIDs: settings.keptRows)
                        started.done(nil)
                        reads.serve(connection)
                    }
                }
                try started.wait()
            }
            let queue = try connections.checkpointer()
            background.start("baton-checkpoint") { [self] in
                serve(queue, started) { db throws in
                    var checkpointer = try Checkpointer(
                        database: db, settings: settings, logger: logger, observer: observer)
                    started.done(nil)
                    checkpointer.run(checkpoints)
                }
            }
            try started.wait()
        } catch {
            stop()
            endBackground()
            throw error
        }
    }

    /// A thread's life: inside one access to its connection, which it closes at the end.
    private func serve(
        _ queue: DatabaseQueue, _ started: Handshake, _ body: (Database) throws -> Void
    ) {
        queue.inDatabase { db in
            do { try body(db) } catch { started.done(SQLiteFailure(error)) }
        }
        do {
            try queue.close()
        } catch {
            logger.warning("A connection could not be closed", metadata: ["error": "\(SQLiteFailure(error))"])
        }
    }
}

/// Hears nothing.
public struct SilentStoreObserver: StoreObserver {
    public init() {}
}
