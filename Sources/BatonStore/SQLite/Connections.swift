import BatonCore
import GRDB
import GRDBSQLite

/// Opens connections of the three kinds with the pragmas that the promises rest on.
struct Connections: Sendable {
    let settings: StoreSettings

    /// For the writer. The caller holds the turnstile the first time, when the file may be made.
    func writer() throws(SQLiteFailure) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "baton.store.writer"
        configuration.journalMode = .wal
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(busySeconds)
        configuration.prepareDatabase { [settings] db in
            // Before the first page is written; without effect on a file that is there.
            try db.execute(sql: "PRAGMA page_size = \(settings.pageBytes)")
        }
        return try open(configuration) { db in
            // GRDB sets NORMAL after opening, which does not sync at a commit.
            try db.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA wal_autocheckpoint = 0;
                    PRAGMA secure_delete = OFF;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -65536;
                    """)
            if let pages = settings.maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
        }
    }

    func reader(_ number: Int) throws(SQLiteFailure) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "baton.store.reader.\(number)"
        configuration.readonly = true
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(busySeconds)
        return try open(configuration) { db in
            try db.execute(sql: "PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456;")
        }
    }

    /// For checkpoints, whose waits for readers are short: the writers of all processes wait with it.
    func checkpointer() throws(SQLiteFailure) -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "baton.store.checkpointer"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(Self.checkpointBusySeconds)
        return try open(configuration) { db in
            try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")
        }
    }

    private var busySeconds: Double { settings.patience / .seconds(1) }
    private static let checkpointBusySeconds = 0.05

    private func open(
        _ configuration: Configuration, prepare: (Database) throws -> Void
    ) throws(SQLiteFailure) -> DatabaseQueue {
        do {
            let queue = try DatabaseQueue(path: settings.path, configuration: configuration)
            try queue.inDatabase(prepare)
            return queue
        } catch {
            throw SQLiteFailure(error)
        }
    }
}
