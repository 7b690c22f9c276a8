import BatonCore
import DequeModule
import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import Logging

/// The one thread of a process that writes: takes what all callers have submitted meanwhile, and commits it at once.
///
/// 1. Waits for work, and under load a little longer (`lingerMilliseconds`).
/// 2. Passes the turnstile, so that the processes of the host write in turn, and begins a transaction. What waits stays
///    in the queue until then, where it is refused when it has waited too long.
/// 3. Takes it, and carries out up to `Limits.Store.batchOperations` in one transaction.
/// 4. Commits, which syncs, and only then answers. Where anything failed, everything is rolled back and says so; a
///    sync that failed is not tried again as if nothing was (`LogRewrite`).
struct Writer {
    let queue: WriteQueue
    let settings: StoreSettings
    let checkpointer: CheckpointSignal
    let failures: CommitFailures
    let logger: Logger
    let observer: any StoreObserver

    private let database: Database
    private let turnstile: Turnstile
    private let walPages: WALPages
    private var engine: Engine
    private var group = GroupCommit<Work>()
    private var lastBatch = 0
    private var commits: UInt64 = 0
    /// The last commit met an I/O error. Nothing is committed on top of what it may have left, before the log was
    /// written anew.
    private var isLogSuspect = false

    /// An entry that is being carried out, maybe over several transactions.
    private struct Work {
        let entry: WriteQueue.Entry
        var outcomes: [StoreOutcome] = []
        /// What to call once it is committed.
        var afterCommit: (@Sendable () -> Void)?
    }

    init(
        database: Database, queue: WriteQueue, settings: StoreSettings, checkpointer: CheckpointSignal,
        failures: CommitFailures, logger: Logger, observer: any StoreObserver
    ) throws {
        guard let connection = database.sqliteConnection else {
            throw SQLiteFailure(code: SQLITE_MISUSE, connection: nil)
        }
        self.database = database
        self.queue = queue
        self.settings = settings
        self.checkpointer = checkpointer
        self.failures = failures
        self.logger = logger
        self.observer = observer
        turnstile = try Turnstile(path: settings.path)
        walPages = WALPages(connection)
        engine = try Engine(connection: connection, keptRows: settings.keptRows)
        #if DEBUG
            engine.rows.plantedBug = settings.plantedBug
        #endif
    }

    mutating func run() {
        while true {
            if group.isEmpty {
                guard queue.waitForWork() else { return }
                linger()
            }
            runBatch()
        }
    }

    /// No more than a transaction holds: what is taken can no longer be refused for having waited.
    private mutating func admit(upTo operations: Int) {
        for entry in queue.takePresent(upTo: operations) {
            group.arrived(Work(entry: entry), operations: entry.count)
        }
    }

    private func linger() {
        guard settings.lingerMilliseconds > 0, lastBatch >= settings.lingerFromOperations,
            queue.count < Limits.Store.batchOperations
        else { return }
        // The writer's own thread, with nothing else to do; the time is the configuration's, and none by default.
        Thread.sleep(forTimeInterval: Double(settings.lingerMilliseconds) / 1000)
    }

    private mutating func runBatch() {
        let clock = ContinuousClock()
        let start = clock.now
        observer.began()
        turnstile.enter()
        let entered = clock.now
        var executed = entered
        let outcome: Result<Int, SQLiteFailure>
        do throws(SQLiteFailure) {
            try begin()
            // The rest of a work that is longer than a transaction goes alone.
            if group.isEmpty { admit(upTo: Limits.Store.batchOperations) }
            group.began()
            let count = try carryOut()
            executed = clock.now
            #if DEBUG
                answerEarly()
            #endif
            try commit()
            outcome = .success(count)
        } catch {
            rollBack()
            // Where no transaction could begin, all who wait are told; but where only the lock was not to be had, what has waited
            // less long than that may wait on. What is not told stays in the queue, where it is refused in its time.
            if group.isEmpty, error.primaryCode != SQLITE_BUSY { admit(upTo: .max) }
            if error.primaryCode == SQLITE_IOERR { isLogSuspect = true }
            outcome = .failure(error)
        }
        let ended = clock.now
        let endedAt = DispatchTime.now().uptimeNanoseconds
        turnstile.leave()

        switch outcome {
        case .success(let count):
            commits += 1
            lastBatch = count
            failures.succeeded()
            engine.rows.ended()
            if walPages.count * settings.pageBytes > settings.walBytes { checkpointer.request() }
            answer(
                CommitStamp(
                    number: commits, operations: count, waited: entered - start, executed: executed - entered,
                    committed: ended - executed, endedAt: endedAt))
            observer.committed(
                CommitReport(
                    operations: count, waited: entered - start, executed: executed - entered,
                    committed: ended - executed, queued: queue.count, walPages: walPages.count))
        case .failure(let failure):
            fail(failure)
        }
    }

    // MARK: The transaction

    private mutating func begin() throws(SQLiteFailure) {
        try asFailure { try database.beginTransaction(.immediate) }
        if isLogSuspect {
            do { try LogRewrite.run(path: settings.path) } catch { throw SQLiteFailure(error) }
            isLogSuspect = false
            logger.notice("The log was written anew after a failed commit")
        }
        try engine.rows.begin()
    }

    private func commit() throws(SQLiteFailure) {
        try asFailure { try database.commit() }
    }

    private mutating func rollBack() {
        engine.rows.forget()
        // Some errors have rolled back already.
        if database.isInsideTransaction { try? database.rollback() }
    }

    /// Carries out the pending work up to the batch's size.
    private mutating func carryOut() throws(SQLiteFailure) -> Int {
        while let range = group.next() {
            switch group.current.entry {
            case .operations(let operations, _):
                var outcomes: [StoreOutcome] = []
                outcomes.reserveCapacity(range.count)
                for operation in operations[range] { outcomes.append(try engine.apply(operation)) }
                if range.lowerBound == 0 {
                    group.current.outcomes = outcomes
                } else {
                    group.current.outcomes += outcomes
                }
            case .job(let job): group.current.afterCommit = try carryOut(job)
            }
        }
        try engine.rows.flush()
        return group.taken
    }

    private mutating func carryOut(_ job: WriteJob) throws(SQLiteFailure) -> @Sendable () -> Void {
        // It goes past the working set: what is there must be written first, and is read again.
        try engine.rows.flush()
        var afterCommit: (@Sendable () -> Void)?
        try asFailure {
            try database.inSavepoint {
                afterCommit = try job.run(database)
                return .commit
            }
        }
        engine.rows.forget()
        try engine.rows.begin()
        return afterCommit ?? {}
    }

    private func asFailure(_ body: () throws -> Void) throws(SQLiteFailure) {
        do { try body() } catch { throw SQLiteFailure(error) }
    }

    // MARK: Answers

    private mutating func answer(_ stamp: CommitStamp) {
        for work in group.committed() {
            queue.finished(operations: work.entry.count)
            switch work.entry {
            case .operations(_, let completion): completion(work.outcomes, stamp)
            case .job: work.afterCommit?()
            }
        }
    }

    #if DEBUG
        /// Planted: answers before the commit, and takes its time for that; the answers come once more after it.
        private func answerEarly() {
            guard settings.plantedBug == .ackBeforeCommit || settings.plantedBug == .publishBeforeCommit else { return }
            for work in group.complete {
                if case .operations(_, let completion) = work.entry { completion(work.outcomes, nil) }
            }
            // The window in which a kill meets what was told and is not on disk. No release build has it.
            Thread.sleep(forTimeInterval: 0.1)
        }
    #endif

    /// Answers all operations of the failed transaction, and the rest of an entry that began in it.
    private mutating func fail(_ failure: SQLiteFailure) {
        let error = failure.storeError
        var count = 0
        for work in group.failed() {
            count += work.entry.count
            queue.finished(operations: work.entry.count)
            switch work.entry {
            case .operations(let operations, let completion):
                completion(operations.map { _ in .failed(error) }, nil)
            case .job(let job): job.fail(error)
            }
        }
        failures.failed(error, operations: count, reason: failure.description)
    }
}

/// Counts the pages of the write-ahead log, as SQLite tells after each commit.
final class WALPages {
    private(set) var count = 0

    init(_ connection: OpaquePointer) {
        sqlite3_wal_hook(
            connection,
            { context, _, _, pages in
                if let context {
                    Unmanaged<WALPages>.fromOpaque(context).takeUnretainedValue().count = Int(pages)
                }
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
