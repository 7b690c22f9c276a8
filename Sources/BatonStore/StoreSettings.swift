#if DEBUG
    public import BatonCore
#else
    import BatonCore
#endif

/// How a SQLite store works. The defaults are for several nodes of one host.
public struct StoreSettings: Sendable {
    /// The database file. Files of the same name with a suffix (`-wal`, `-shm`, `-gate`, `-lock`, `-alive`,
    /// `-sweep`) belong to it.
    public var path: String
    /// Connections for reads, each with a thread of its own.
    public var readers = 2
    /// How long a batch waits for more operations when the one before it was large. Zero: never. It takes CPU off
    /// every operation and adds as much latency, under load only.
    public var lingerMilliseconds = 0
    /// Operations of a batch from which on the next one lingers.
    public var lingerFromOperations = 32
    /// Bytes of a database page; taken when the file is made. Small pages cost less for each scattered row.
    public var pageBytes = 4096
    /// Bytes of the write-ahead log above which it is brought into the database.
    public var walBytes = 16 * 1024 * 1024
    /// Bytes of its file above which it is cut off as soon as it can be. Below, it is written over from its beginning.
    public var shrinkBytes = Limits.Store.logBytes
    /// For how long an operation waits for the lock that another process holds.
    public var patience = Duration.seconds(Limits.Store.waitSeconds)
    /// Pages that the database may have; nil for no bound but the disk's.
    public var maximumPages: Int?
    /// Rows of each kind that are kept in memory between transactions, and ids that each reader knows.
    public var keptRows = Limits.Store.keptRows
    /// When messages go.
    public var retention = MessageRetention.days(30)
    /// Seconds between two sweeps for what is too old. Zero: only when asked for.
    public var sweepSeconds = 600
    #if DEBUG
        public var plantedBug: PlantedBug?
    #endif

    public init(path: String) {
        self.path = path
    }
}

/// When a message goes. Never while a device that is not idle still waits for it.
public enum MessageRetention: Hashable, Sendable {
    /// So many days after it was accepted.
    case days(Int)
    /// As soon as all its recipients have it. Its place and its ref stay until a retry is no longer recognised.
    case onDelivery
    /// It stays.
    case unlimited
}
