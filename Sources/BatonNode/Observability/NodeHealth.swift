/// A node's state as `/health/ready` tells it.
package struct NodeHealth: Sendable, Equatable, Encodable {
    /// Takes connections. A load balancer sends clients to ready nodes only.
    package var ready: Bool
    /// Works, but without something it needs, for example Redis.
    package var degraded: Bool
    /// Why it is not ready, or degraded; constants such as `redis_unreachable`.
    package var reasons: [String]
    package var node: String
    /// Which start of the node this is.
    package var incarnation: String
    package var pid: Int32
    /// Where Redis runs on this host and told its process id.
    package var redisPID: Int?
    package var version: String
    package var connections: Int

    /// What of it is for everybody.
    package struct ForOutside: Sendable, Equatable, Encodable {
        package let ready: Bool
        package let degraded: Bool
    }

    package var forOutside: ForOutside { ForOutside(ready: ready, degraded: degraded) }

    private enum CodingKeys: String, CodingKey {
        case ready, degraded, reasons, node, incarnation, pid
        case redisPID = "redis_pid"
        case version, connections
    }

    package init(
        ready: Bool, degraded: Bool, reasons: [String], node: String, incarnation: String, pid: Int32, redisPID: Int?,
        version: String, connections: Int
    ) {
        self.ready = ready
        self.degraded = degraded
        self.reasons = reasons
        self.node = node
        self.incarnation = incarnation
        self.pid = pid
        self.redisPID = redisPID
        self.version = version
        self.connections = connections
    }
}
