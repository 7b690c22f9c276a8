import BatonCore

/// Where a simulated node can be told to die, or to stand still, when it next comes there. The first three are the
/// store's, on the way of new messages to the disk.
enum SimulatedPoint: Hashable {
    /// They were handed over. The store's writer has not asked for the lock.
    case handedOver
    /// The writer has the lock, and its transaction is under way.
    case committing
    /// The transaction is on disk. The event loop was not told.
    case committed
    /// One of the relay's own.
    case relay(Failpoint)

    /// Before and after a commit.
    static let ofStore: [SimulatedPoint] = [.handedOver, .committing, .committed]
    /// Before and after hints are published, and others.
    static let ofRelay = Failpoint.allCases.map(SimulatedPoint.relay)
}
