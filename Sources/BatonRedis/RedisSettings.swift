package import BatonCore
package import NIOCore

/// How to reach Redis, and the bounds within which it must answer. The bounds' defaults are `Limits.Redis`.
package struct RedisSettings: Sendable {
    package enum Trust: Hashable, Sendable {
        /// The system's certificate authorities.
        case system
        /// The authorities of a PEM file.
        case file(String)
        /// Any certificate: only where somebody asked for it in so many words.
        case anyone
    }

    package var url: RedisURL
    /// Whose server certificate is believed with `rediss://`.
    package var trust: Trust

    package var connectTimeout: TimeAmount = .seconds(Limits.Redis.connectSeconds)
    package var commandTimeout: TimeAmount = .seconds(Limits.Redis.commandSeconds)
    package var probeInterval: TimeAmount = .seconds(Limits.Redis.probeSeconds)
    package var backoff = Backoff(
        minimum: .milliseconds(Limits.Redis.reconnectMinimumMilliseconds),
        maximum: .milliseconds(Limits.Redis.reconnectMaximumMilliseconds))
    package var pendingCommands = Limits.Redis.pendingCommands
    package var pendingBytes = Limits.Redis.pendingBytes
    package var replyBytes = Limits.Redis.replyBytes
    /// What tells messages of nodes from those of others. Without it nothing of others is believed: events are read from the
    /// store.
    package var seal: ClusterSeal?
    #if DEBUG
        package var plantedBug: PlantedBug?
    #endif
    /// What the backoff's jitter is made of.
    package var random = RandomSource.system
    /// Makes a connection's channel, where that is no socket: in a simulation.
    package var transport: (@Sendable (any EventLoop) -> EventLoopFuture<any Channel>)?

    package init(url: RedisURL, trust: Trust = .system) {
        self.url = url
        self.trust = trust
    }
}
