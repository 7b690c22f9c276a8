public import BatonCore

/// Gets told what the store does, for metrics. Called on the store's threads: it must not block.
public protocol StoreObserver: Sendable {
    /// A transaction is due: from here on its callers wait, for other processes first.
    func began()
    func committed(_ report: CommitReport)
    /// A transaction failed; its operations were answered with the error.
    func commitFailed(_ error: StoreError, operations: Int)
    /// Operations were turned away because the queue was full.
    func overloaded(operations: Int)
    func checkpointed(_ report: CheckpointReport)
    func swept(_ report: SweepReport)
}

extension StoreObserver {
    public func began() {}
    public func committed(_ report: CommitReport) {}
    public func commitFailed(_ error: StoreError, operations: Int) {}
    public func overloaded(operations: Int) {}
    public func checkpointed(_ report: CheckpointReport) {}
    public func swept(_ report: SweepReport) {}
}

/// One transaction.
public struct CommitReport: Hashable, Sendable {
    /// Operations and account changes it carried.
    public let operations: Int
    /// From asking for the turnstile to passing it.
    public let waited: Duration
    /// From there to the operations' being carried out, before the commit.
    public let executed: Duration
    /// The commit itself, with its sync.
    public let committed: Duration
    /// Operations that came meanwhile and wait for the next one.
    public let queued: Int
    /// Pages in the write-ahead log.
    public let walPages: Int
}

public struct CheckpointReport: Hashable, Sendable {
    /// Pages that were in the log.
    public let walPages: Int
    /// From its start to its end; commits were kept waiting for `blocked` of it.
    public let duration: Duration
    public let blocked: Duration
    /// Whether the log starts anew. Where a reader prevented it, the next checkpoint tries again.
    public let isComplete: Bool
    /// A reader prevents it, and the log has become large.
    public let isHeld: Bool
}

public struct SweepReport: Hashable, Sendable {
    public var messagesRemoved = 0
    /// Messages whose content went while their place and ref stay.
    public var messagesEmptied = 0
    public var refsRemoved = 0
    public var devicesIdled = 0
}
