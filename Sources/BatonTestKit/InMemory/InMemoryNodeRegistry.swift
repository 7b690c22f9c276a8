public import BatonCore

/// The leases of an `InMemoryCluster`.
public final class InMemoryNodeRegistry: NodeRegistry {
    private let cluster: InMemoryCluster

    public init(_ cluster: InMemoryCluster) {
        self.cluster = cluster
    }

    public func renewLease(_ lease: NodeLease, completion: @escaping (Bool?) -> Void) {
        cluster.renewals += 1
        guard !cluster.isDown else { return completion(nil) }
        if let holder = living[lease.node], holder.incarnation > lease.incarnation { return completion(false) }
        cluster.leases[lease.node] = (
            lease, cluster.now.advanced(byMilliseconds: Limits.Node.leaseSeconds * 1_000)
        )
        cluster.known.insert(.init(node: lease.node, number: lease.incarnation))
        completion(true)
    }

    public func releaseLease(_ lease: NodeLease, completion: @escaping () -> Void) {
        if !cluster.isDown, living[lease.node]?.incarnation == lease.incarnation { cluster.leases[lease.node] = nil }
        completion()
    }

    public func nodes(completion: @escaping ([NodeLease]?) -> Void) {
        completion(cluster.isDown ? nil : living.values.sorted { $0.node.name < $1.node.name })
    }

    public func removeSessionsOfDeadNodes(by node: NodeID, completion: @escaping (_ orphaned: [UserID]?) -> Void) {
        guard !cluster.isDown else { return completion(nil) }
        let living = living
        let dead = cluster.known.filter { living[$0.node]?.incarnation != $0.number }
        cluster.known.subtract(dead)
        var orphaned: [UserID] = []
        for (user, sessions) in cluster.sessions {
            let alive = sessions.filter { _, held in
                !dead.contains(.init(node: held.session.node, number: held.session.incarnation))
            }
            guard alive.count < sessions.count else { continue }
            cluster.sessions[user] = alive
            if alive.isEmpty { orphaned.append(user) }
        }
        completion(orphaned.sorted())
    }

    private var living: [NodeID: NodeLease] {
        cluster.leases.filter { $0.value.ends > cluster.now }.mapValues(\.lease)
    }
}

@available(*, unavailable)
extension InMemoryNodeRegistry: Sendable {}
