public import BatonCore

/// Sessions of an `InMemoryCluster`.
public final class InMemorySessionRegistry: SessionRegistry {
    private let cluster: InMemoryCluster

    public init(_ cluster: InMemoryCluster) {
        self.cluster = cluster
    }

    public func write(_ sessions: [Session], completion: @escaping ([Session: SessionWriting]) -> Void) {
        guard !cluster.isDown else { return completion([:]) }
        completion(Dictionary(sessions.map { ($0, write($0)) }) { first, _ in first })
    }

    public func remove(_ session: Session, completion: @escaping (_ remaining: Int?) -> Void) {
        guard !cluster.isDown else { return completion(nil) }
        if cluster.sessions[session.user]?[session.device]?.session == session {
            cluster.sessions[session.user]?[session.device] = nil
        }
        completion(cluster.sessions(of: session.user).count)
    }

    /// Nobody cleans up here but by what is there.
    public func forget(_ session: Session) {}

    private func write(_ session: Session) -> SessionWriting {
        var outcome = SessionWriting.written
        if let current = cluster.sessions(of: session.user).first(where: { $0.device == session.device }) {
            guard current == session || current.generation < session.generation else { return .heldByNewer }
            outcome = current == session ? .renewed : .displacedOlder
        }
        cluster.sessions[session.user, default: [:]][session.device] = InMemoryCluster.HeldSession(
            session: session, ends: cluster.now.advanced(byMilliseconds: Limits.Presence.sessionSeconds * 1_000))
        return outcome
    }
}

@available(*, unavailable)
extension InMemorySessionRegistry: Sendable {}
