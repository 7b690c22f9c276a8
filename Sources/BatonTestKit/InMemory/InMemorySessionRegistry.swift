public import BatonCore

/// Sessions of an `InMemoryCluster`.
public final class InMemorySessionRegistry: SessionRegistry {
    private let cluster: InMemoryCluster

    public init(_ cluster: InMemoryCluster) {
        self.cluster = cluster
    }

    public func register(_ session: Session, completion: @escaping (SessionRegistration?) -> Void) {
        guard !cluster.isDown else { return completion(nil) }
        let current = cluster.sessions(of: session.user).first { $0.device == session.device }
        guard write(session) else { return completion(.superseded(by: current?.generation ?? session.generation)) }
        completion(.registered(displaced: current != nil && current != session))
    }

    public func renew(_ sessions: [Session], completion: @escaping (_ displaced: [Session]) -> Void) {
        guard !cluster.isDown else { return completion([]) }
        completion(sessions.filter { !write($0) })
    }

    public func remove(_ session: Session, completion: @escaping (_ remaining: Int?) -> Void) {
        guard !cluster.isDown else { return completion(nil) }
        if cluster.sessions[session.user]?.byDevice[session.device] == session {
            cluster.sessions[session.user]?.byDevice[session.device] = nil
        }
        completion(cluster.sessions(of: session.user).count)
    }

    /// Nobody cleans up here but by what is there.
    public func forget(_ session: Session) {}

    /// - Returns: false where a newer connection of the device holds the session.
    private func write(_ session: Session) -> Bool {
        var sessions = cluster.sessions(of: session.user)
        if let current = sessions.first(where: { $0.device == session.device }) {
            guard current.generation <= session.generation else { return false }
            sessions.removeAll { $0.device == session.device }
        }
        sessions.append(session)
        cluster.sessions[session.user] = InMemoryCluster.Sessions(
            byDevice: Dictionary(uniqueKeysWithValues: sessions.map { ($0.device, $0) }),
            ends: cluster.now.advanced(byMilliseconds: Limits.Presence.sessionSeconds * 1_000))
        return true
    }
}

@available(*, unavailable)
extension InMemorySessionRegistry: Sendable {}
