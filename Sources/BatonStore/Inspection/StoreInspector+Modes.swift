import GRDB

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension StoreInspector {
    /// How a node's writing connection to the file works: the journal's mode and the level of `synchronous` (2 is FULL).
    /// The file must be there.
    public static func modes(path: String) throws(StoreOpenError) -> (journal: String, synchronous: Int) {
        do {
            return try Connections(settings: StoreSettings(path: path)).writer().inDatabase { db in
                (
                    journal: try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "",
                    synchronous: try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
                )
            }
        } catch {
            throw .unusable(path: path, reason: SQLiteFailure(error).description)
        }
    }
}

extension StoreInspector {
    /// Which releases a store was made for.
    public struct Releases: Hashable, Sendable {
        /// That of the newest node that has opened it.
        public let newest: Int
        /// The oldest that may open it.
        public let oldest: Int
        /// That of this program.
        public let own: Int

        public init(newest: Int, oldest: Int, own: Int) {
            self.newest = newest
            self.oldest = oldest
            self.own = own
        }
    }

    /// The file must be there.
    public static func releases(path: String) throws(StoreOpenError) -> Releases {
        do {
            let state = try Connections(settings: StoreSettings(path: path)).reader(0).inDatabase(Schema.state)
            return Releases(newest: state.version, oldest: state.admits, own: Schema.version)
        } catch {
            throw .unusable(path: path, reason: SQLiteFailure(error).description)
        }
    }
}

extension StoreInspector {
    /// How the processes ended that had the file open before.
    public enum LastStop: Hashable, Sendable {
        /// Some have it open now.
        case running
        case clean
        /// They were killed: the next one to open it checks it first.
        case unclean
    }

    /// Looks at the mark and the locks beside the file, which must be there. Waits for nobody.
    public static func lastStop(path: String) throws(StoreOpenError) -> LastStop {
        do throws(SystemFailure) {
            guard access(path + "-alive", F_OK) == 0 else { return .clean }
            // Who opens the file does so behind this gate. While it is closed, somebody is there.
            let gate = try FileLock(path: path + "-gate")
            guard gate.tryLock() else { return .running }
            defer { gate.unlock() }
            let alive = try FileLock(path: path + "-alive")
            guard alive.tryLock() else { return .running }
            return alive.isMarked ? .unclean : .clean
        } catch {
            throw .unusable(path: path, reason: error.description)
        }
    }
}
