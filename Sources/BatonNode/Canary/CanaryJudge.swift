import BatonCore

/// Judges a node by what became of its canary's messages: which arrived, how fast, and since when none does.
///
/// It does not send, know a clock or look at Redis: `now` is an argument, counted from any fixed moment. Without the bus
/// a canary's messages still arrive, from the store, so that says nothing of one node that is cut off: it also compares
/// who has the bus.
struct CanaryJudge: Sendable {
    /// Where a canary's messages go.
    enum Target: Hashable, Sendable {
        /// The node's own second user.
        case local
        case node(NodeID)
    }

    /// A message that reached its target's device, which acknowledged it.
    struct Delivery: Hashable, Sendable {
        let target: Target
        /// From sending it to hearing of its delivery.
        let latency: Duration
    }

    enum Standing: Hashable, Sendable {
        /// Nothing was delivered yet, nor should have been.
        case unproven
        case delivering
        /// For longer than the bound nothing was delivered anywhere.
        case failing
    }

    struct Verdict: Hashable, Sendable {
        let standing: Standing
        /// Nodes to which a message is on its way for longer than the bound.
        let unreachable: [NodeID]
        /// Since the last delivery, or since the start.
        let silence: Duration
        /// Nodes that have the bus, where this one has been without it for longer than the bound.
        let cutOffFrom: [NodeID]
    }

    private struct Flight: Sendable {
        let ref: String
        let at: Duration
        /// There from the relay's `accepted` on.
        var sequence: ConversationSequence?
        var hasFailed = false
    }

    private struct Route: Sendable {
        let user: UserID
        var flights: [Flight] = []
        var delivered = ConversationSequence(rawValue: 0)
    }

    private let bound: Duration
    private let startedAt: Duration
    private var lastDelivery: Duration?
    private var routes: [Target: Route] = [:]
    /// The answers that came before it was known what they answer.
    private var early: [String: ConversationSequence] = [:]
    /// Since when this node has no bus, and who said last that they have it.
    private var busLostAt: Duration?
    private var othersWithBus: [NodeID] = []

    init(bound: Duration, startedAt: Duration) {
        self.bound = bound
        self.startedAt = startedAt
    }

    /// Whether one more message to a target makes sense: not while enough of them wait.
    func maySend(to target: Target) -> Bool {
        (routes[target]?.flights.count ?? 0) < Limits.Canary.undelivered
    }

    // MARK: What happens

    /// A message was handed to the client that sends it.
    mutating func sent(_ ref: String, to target: Target, user: UserID, at now: Duration) -> [Delivery] {
        // A user of another id is another store's: what was sent before is void.
        if routes[target]?.user != user { routes[target] = Route(user: user) }
        routes[target]?.flights.append(Flight(ref: ref, at: now))
        guard let sequence = early.removeValue(forKey: ref) else { return [] }
        return accepted(ref, as: sequence, at: now)
    }

    /// The relay stored a message. Its receipt may have come before.
    mutating func accepted(_ ref: String, as sequence: ConversationSequence, at now: Duration) -> [Delivery] {
        guard let (target, index) = find(ref) else {
            if early.count < Limits.Canary.undelivered * (Limits.Canary.peers + 1) { early[ref] = sequence }
            return []
        }
        routes[target]?.flights[index].sequence = sequence
        return settle(target, at: now)
    }

    /// The relay will not store a message.
    mutating func refused(_ ref: String) -> Target? {
        guard let (target, index) = find(ref) else { return nil }
        routes[target]?.flights.remove(at: index)
        return target
    }

    /// A user's device has everything up to here.
    mutating func received(
        _ user: UserID, upTo sequence: ConversationSequence, at now: Duration
    ) -> [Delivery] {
        guard let target = routes.first(where: { $0.value.user == user })?.key, let route = routes[target] else {
            return []
        }
        routes[target]?.delivered = max(route.delivered, sequence)
        return settle(target, at: now)
    }

    /// These are the living nodes: what is on its way to others says nothing any more.
    mutating func keep(_ nodes: Set<NodeID>) {
        routes = routes.filter { target, _ in
            switch target {
            case .local: true
            case .node(let node): nodes.contains(node)
            }
        }
    }

    /// Whether this node has the bus.
    mutating func bus(isThere: Bool, at now: Duration) {
        if isThere {
            busLostAt = nil
            othersWithBus = []
        } else if busLostAt == nil {
            busLostAt = now
        }
    }

    /// While this node has no bus: these others say that they have it.
    mutating func othersHaveBus(_ others: [NodeID]) {
        if busLostAt != nil { othersWithBus = others }
    }

    /// The targets of messages that have failed since the last question, one for each message.
    mutating func failures(at now: Duration) -> [Target] {
        var failures: [Target] = []
        for (target, route) in routes {
            for (index, flight) in route.flights.enumerated() where !flight.hasFailed && now - flight.at > bound {
                routes[target]?.flights[index].hasFailed = true
                failures.append(target)
            }
        }
        return failures
    }

    // MARK: The judgement

    func verdict(at now: Duration) -> Verdict {
        let silence = now - (lastDelivery ?? startedAt)
        let unreachable = routes.compactMap { target, route -> NodeID? in
            guard case .node(let node) = target, let oldest = route.flights.first, now - oldest.at > bound else {
                return nil
            }
            return node
        }
        let standing: Standing =
            silence > bound ? .failing : lastDelivery == nil ? .unproven : .delivering
        let isCutOff = busLostAt.map { now - $0 > bound } ?? false
        return Verdict(
            standing: standing, unreachable: Self.named(unreachable), silence: silence,
            cutOffFrom: isCutOff ? Self.named(othersWithBus) : [])
    }

    /// As many as a reason names.
    private static func named(_ nodes: [NodeID]) -> [NodeID] {
        Array(nodes.sorted { $0.name < $1.name }.prefix(Limits.Canary.namedNodes))
    }

    private func find(_ ref: String) -> (Target, Int)? {
        for (target, route) in routes {
            if let index = route.flights.firstIndex(where: { $0.ref == ref }) { return (target, index) }
        }
        return nil
    }

    /// Takes out what has arrived.
    private mutating func settle(_ target: Target, at now: Duration) -> [Delivery] {
        guard var route = routes[target] else { return [] }
        let delivered = route.delivered
        let arrived = route.flights.filter { flight in flight.sequence.map { $0 <= delivered } ?? false }
        guard !arrived.isEmpty else { return [] }
        route.flights.removeAll { flight in flight.sequence.map { $0 <= delivered } ?? false }
        routes[target] = route
        lastDelivery = now
        return arrived.map { Delivery(target: target, latency: now - $0.at) }
    }
}

extension CanaryJudge.Target {
    /// A label's value: `local`, or the node's name.
    var label: String {
        switch self {
        case .local: "local"
        case .node(let node): node.name
        }
    }
}
