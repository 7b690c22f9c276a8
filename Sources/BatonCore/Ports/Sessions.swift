/// Live registrations of devices. Soft state: losing all of it loses no message. Bound to one event loop, like `Bus`.
///
/// Writing compares generations, and removal the whole registration, so that a connection that was displaced, or a node that was
/// stopped and wakes up, can never touch its successor's.
public protocol SessionRegistry: AnyObject {
    /// Writes sessions, pipelined, and refreshes their TTL: new ones, and the same again and again while the connection
    /// lives. A session is written unless another connection of the device holds it whose generation is not lower.
    ///
    /// Completes with what became of each; those that could not be written are left out, and the caller writes them
    /// again later.
    func write(_ sessions: [Session], completion: @escaping ([Session: SessionWriting]) -> Void)

    /// Removes a session if it is still this one. Completes with the number of sessions the user has left, nil where
    /// that could not be learned.
    ///
    /// Where it was the user's last one, the clean-up after this node finds the user until `forget`: the node may die
    /// before it has told anybody that the user went.
    func remove(_ session: Session, completion: @escaping (_ remaining: Int?) -> Void)

    /// Everybody was told that the user of a removed session went.
    func forget(_ session: Session)
}

public struct Session: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let node: NodeID
    /// The node's start: a node that was restarted is another one.
    public let incarnation: UInt64
    public let generation: ConnectionGeneration
    public let since: Timestamp
    /// What the client calls itself, for people who look: at most `Limits.Connection.clientNameLength`, no blanks.
    public let client: String

    public init(
        user: UserID, device: DeviceID, node: NodeID, incarnation: UInt64, generation: ConnectionGeneration,
        since: Timestamp, client: String
    ) {
        self.user = user
        self.device = device
        self.node = node
        self.incarnation = incarnation
        self.generation = generation
        self.since = since
        self.client = client
    }
}

public enum SessionWriting: Int64, Hashable, Sendable {
    /// It was not there.
    case written
    /// It was there already.
    case renewed
    /// It took an older connection's place, which is to be told on the user's channel.
    case displacedOlder
    /// A connection whose generation is not lower holds the device's session; nothing was written.
    case heldByNewer
}

/// Who is online, as TTL keys. Bound to one event loop, like `Bus`.
public protocol PresenceRegistry: AnyObject {
    /// Refreshes the presence of users who have a live connection here, pipelined. Completes with those who were
    /// offline before, or nil where the registry could not be reached.
    func heartbeat(_ users: [UserID], at now: Timestamp, completion: @escaping (_ cameOnline: [UserID]?) -> Void)

    /// Sets users offline who have no session left anywhere. Completes with those who have none, also where they were
    /// offline before: somebody may still be told that they are online.
    func leave(_ users: [UserID], at now: Timestamp, completion: @escaping (_ wentOffline: [UserID]?) -> Void)

    func presence(of users: [UserID], completion: @escaping ([UserID: Presence]?) -> Void)
}

public enum Presence: Hashable, Sendable {
    case online
    /// `nil`: never seen, or not known.
    case offline(lastSeen: Timestamp?)
}

/// The nodes' leases. Bound to one event loop, like `Bus`.
public protocol NodeRegistry: AnyObject {
    /// Takes or renews the lease of a node (TTL `Limits.Node.leaseSeconds`). Completes with false where a later
    /// incarnation holds it, nil where the registry could not be reached.
    func renewLease(_ lease: NodeLease, completion: @escaping (Bool?) -> Void)

    /// Gives the lease up, if it is still this incarnation's.
    func releaseLease(_ lease: NodeLease, completion: @escaping () -> Void)

    /// The living nodes.
    func nodes(completion: @escaping ([NodeLease]?) -> Void)

    /// Removes the sessions of nodes whose lease ran out, page by page. Only one node does so at a time (a lock with
    /// TTL). Completes with the users who have no session left, nil where another node holds the lock or the registry
    /// could not be reached.
    func removeSessionsOfDeadNodes(by node: NodeID, completion: @escaping (_ orphaned: [UserID]?) -> Void)
}

public struct NodeLease: Hashable, Sendable {
    public let node: NodeID
    public let incarnation: UInt64
    /// `host:port` of the edge, for people and for the load balancer.
    public let address: String
    public var state: State
    public var connections: Int
    public let since: Timestamp

    public enum State: String, Hashable, Sendable { case up, evacuating }

    public init(
        node: NodeID, incarnation: UInt64, address: String, state: State, connections: Int, since: Timestamp
    ) {
        self.node = node
        self.incarnation = incarnation
        self.address = address
        self.state = state
        self.connections = connections
        self.since = since
    }
}
