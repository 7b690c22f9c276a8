public import BatonCore

/// What nodes share, without Redis: the other half of the in-memory ports. Synchronous, on one thread, and the time
/// moves only when told to.
///
/// Make one, and from it a bus and registries for each node (or event loop) of a test:
///
///     let cluster = InMemoryCluster()
///     let bus = InMemoryBus(cluster)
///     let sessions = InMemorySessionRegistry(cluster)
///     cluster.loses = { message, channel in true }    // hints vanish, publishing looks healthy
///     cluster.isDown = true                           // nothing can be reached
///     cluster.empty()                                 // FLUSHALL
///     cluster.now = cluster.now.advanced(byMilliseconds: 60_000)
public final class InMemoryCluster {
    public var now: Timestamp

    /// Messages for which this is true count their receivers and reach none of them.
    public var loses: (BusMessage, BusChannel) -> Bool = { _, _ in false }

    /// While true nothing can be reached. Buses are told when it changes.
    public var isDown = false {
        didSet { if isDown != oldValue { for bus in buses { bus.bus?.connectionChanged(isUp: !isDown) } } }
    }

    var sessions: [UserID: [DeviceID: HeldSession]] = [:]
    var presence: [UserID: Timestamp] = [:]
    var lastSeen: [UserID: Timestamp] = [:]
    var buckets: [RateLimitBucket: TokenBucket] = [:]
    /// Attempts to renew a lease, by all nodes.
    public internal(set) var renewals = 0
    var leases: [NodeID: (lease: NodeLease, ends: Timestamp)] = [:]

    /// Every lease that was taken: only after those is cleaned up.
    var known: Set<Incarnation> = []

    struct Incarnation: Hashable {
        let node: NodeID
        let number: UInt64
    }

    /// Each ends by itself, whatever other devices of the user do.
    struct HeldSession {
        let session: Session
        let ends: Timestamp
    }

    private struct WeakBus { weak var bus: InMemoryBus? }
    private var buses: [WeakBus] = []
    private var undelivered: [(BusMessage, BusChannel)] = []
    private var isDelivering = false

    public init(now: Timestamp = Timestamp(milliseconds: 1_800_000_000_000)) {
        self.now = now
    }

    /// Everything but subscriptions is forgotten.
    public func empty() {
        sessions = [:]
        presence = [:]
        lastSeen = [:]
        buckets = [:]
        leases = [:]
        known = []
    }

    /// A user's sessions that did not run out.
    public func sessions(of user: UserID) -> [Session] {
        (sessions[user] ?? [:]).values.filter { $0.ends > now }.map(\.session).sorted { $0.device < $1.device }
    }

    func attach(_ bus: InMemoryBus) {
        buses.removeAll { $0.bus == nil }
        buses.append(WeakBus(bus: bus))
    }

    /// Messages published while one is being delivered are delivered after it, in their order.
    func publish(_ message: BusMessage, to channel: BusChannel) -> Int {
        let count = buses.count { $0.bus?.subscribed.contains(channel) ?? false }
        guard !loses(message, channel) else { return count }
        undelivered.append((message, channel))
        guard !isDelivering else { return count }
        isDelivering = true
        while !undelivered.isEmpty {
            let (message, channel) = undelivered.removeFirst()
            for case let bus? in buses.map(\.bus) where bus.subscribed.contains(channel) {
                bus.receiver?.received(message, on: channel)
            }
        }
        isDelivering = false
        return count
    }
}

@available(*, unavailable)
extension InMemoryCluster: Sendable {}
