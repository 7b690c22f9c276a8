/// Token buckets shared by all nodes.
///
/// Where the shared state cannot be reached, an implementation falls back to buckets of its own process: limits get
/// looser by the number of nodes, and nobody is locked out.
public protocol RateLimiter: Sendable {
    func take(_ tokens: Int, from bucket: RateLimitBucket) async -> RateLimitDecision

    /// Gives back what was taken for an attempt that turned out not to count. A bucket never holds more than its capacity.
    func giveBack(_ tokens: Int, to bucket: RateLimitBucket) async
}

public struct RateLimitBucket: Hashable, Sendable {
    /// Whom it limits: a user's id, an address.
    public let who: String
    /// What it limits: `login`, `register`.
    public let what: String
    /// Tokens it holds at most.
    public let capacity: Int
    /// Seconds until one token comes back.
    public let secondsPerToken: Double

    public init(who: String, what: String, capacity: Int, secondsPerToken: Double) {
        self.who = who
        self.what = what
        self.capacity = capacity
        self.secondsPerToken = secondsPerToken
    }
}

public enum RateLimitDecision: Hashable, Sendable {
    case allowed
    case refused(retryAfterMilliseconds: Int)
}
