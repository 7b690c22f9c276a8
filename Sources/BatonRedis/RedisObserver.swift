package import NIOCore

/// What happens between a node and Redis, for its metrics. Called on the event loops: must be cheap and never block.
package protocol RedisObserver: Sendable {
    /// Redis took a message and had so many subscribed connections for it.
    func published(receivers: Int)
    /// A message could not be handed to Redis.
    func publishFailed(_ error: RedisError)
    /// A connection is ready: for the first time, or again.
    func connected(_ role: RedisRole, attempts: Int)
    func disconnected(_ role: RedisRole, _ error: RedisError)
    /// From publishing a probe to hearing it.
    func probeHeard(after roundTrip: TimeAmount)
    /// A subscriber connection heard nothing of its own probe and was torn down.
    func probeMissed()
    /// Commands that wait for their replies on one loop's command connection; told with each probe.
    func pendingCommands(_ count: Int)
    /// A message came that no node of this version sends.
    func undecodableMessage()
    /// A message or a lease came that no node of this cluster and this version has made.
    func unprovenMessage()
    /// The rate limiter could not reach Redis and asked the node's own buckets.
    func limitedLocally()
}

/// One connection of an event loop to Redis.
package enum RedisRole: String, Hashable, Sendable {
    case command = "cmd"
    case subscriber = "sub"
}

extension RedisObserver {
    package func published(receivers: Int) {}
    package func publishFailed(_ error: RedisError) {}
    package func connected(_ role: RedisRole, attempts: Int) {}
    package func disconnected(_ role: RedisRole, _ error: RedisError) {}
    package func probeHeard(after roundTrip: TimeAmount) {}
    package func probeMissed() {}
    package func pendingCommands(_ count: Int) {}
    package func undecodableMessage() {}
    package func unprovenMessage() {}
    package func limitedLocally() {}
}

/// For programs that count nothing.
package struct SilentRedisObserver: RedisObserver {
    package init() {}
}
