public import BatonCore

/// Presence in an `InMemoryCluster`. It runs out by the cluster's time, not by the times that it is told.
public final class InMemoryPresenceRegistry: PresenceRegistry {
    private let cluster: InMemoryCluster

    public init(_ cluster: InMemoryCluster) {
        self.cluster = cluster
    }

    public func heartbeat(
        _ users: [UserID], at now: Timestamp, completion: @escaping (_ cameOnline: [UserID]?) -> Void
    ) {
        guard !cluster.isDown else { return completion(nil) }
        let cameOnline = users.filter { !isOnline($0) }
        for user in users {
            cluster.presence[user] = cluster.now.advanced(byMilliseconds: Limits.Presence.ttlSeconds * 1_000)
            cluster.lastSeen[user] = now
        }
        completion(cameOnline)
    }

    public func leave(
        _ users: [UserID], at now: Timestamp, completion: @escaping (_ wentOffline: [UserID]?) -> Void
    ) {
        guard !cluster.isDown else { return completion(nil) }
        let offline = users.filter { cluster.sessions(of: $0).isEmpty }
        for user in offline {
            if isOnline(user) || cluster.lastSeen[user] == nil { cluster.lastSeen[user] = now }
            cluster.presence[user] = nil
        }
        completion(offline)
    }

    public func presence(of users: [UserID], completion: @escaping ([UserID: Presence]?) -> Void) {
        guard !cluster.isDown else { return completion(nil) }
        let pairs = users.map { ($0, isOnline($0) ? Presence.online : .offline(lastSeen: cluster.lastSeen[$0])) }
        completion(Dictionary(pairs) { first, _ in first })
    }

    private func isOnline(_ user: UserID) -> Bool {
        cluster.presence[user].map { $0 > cluster.now } ?? false
    }
}

@available(*, unavailable)
extension InMemoryPresenceRegistry: Sendable {}
