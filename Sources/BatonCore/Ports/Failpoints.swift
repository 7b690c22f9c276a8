/// A named point on a message's way at which a node can be made to die or to pause, in every build: what is promised
/// must hold wherever a node dies, and these are the places where it would be easiest to be wrong.
public enum Failpoint: String, CaseIterable, Sendable {
    /// A batch with new messages was committed. Nothing of it was published, and nobody was told `accepted`.
    case committed
    /// Its hints have left for Redis. `accepted` has not left for the clients.
    case published
    /// Part of a page of an inbox has left for a client, the rest has not.
    case drain
    /// A device's acknowledgement arrived. The store was not told.
    case acknowledged
}

/// Which failpoints are armed, and what happens there. Where none is, passing one costs a comparison.
public struct Failpoints: Sendable {
    /// A bit for each armed point.
    private let armed: UInt8
    private let act: @Sendable (Failpoint) -> Void

    /// None is armed.
    public static let none = Failpoints([]) { _ in }

    /// - Parameter act: called by the event loop that passes an armed point. If it returns, the node goes on.
    public init(_ armed: Set<Failpoint>, act: @escaping @Sendable (Failpoint) -> Void) {
        self.armed = armed.reduce(0) { $0 | $1.bit }
        self.act = act
    }

    public var areArmed: Bool { armed != 0 }

    public func isArmed(_ point: Failpoint) -> Bool { armed & point.bit != 0 }

    public func passed(_ point: Failpoint) {
        if isArmed(point) { act(point) }
    }
}

extension Failpoint {
    fileprivate var bit: UInt8 {
        switch self {
        case .committed: 1
        case .published: 2
        case .drain: 4
        case .acknowledged: 8
        }
    }
}
