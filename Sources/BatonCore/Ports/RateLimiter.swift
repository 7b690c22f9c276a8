/// Token buckets shared by all nodes.
///
/// Where the shared state cannot be reached, an implementation falls back to buckets of its own process: limits get
/// looser by the number of nodes, and nobody is locked out.
public protocol RateLimiter: Sendable {
    func take(_ tokens: Int, from bucket: RateLimitBucket) async -> RateLimitDecision

    /// Gives back what was taken for an attempt that turned out not to count. A bucket never holds more than its capacity.
    func giveBack(_ tokens: Int, to bucket: RateLimitBucket) async
}

/// The same buckets, for who takes shares of them in advance. Bound to one event loop, like `Bus`; falls back in the same
/// way, to buckets of that event loop.
public protocol SharedBuckets: AnyObject {
    /// Charges what was spent already, which may leave the bucket with less than nothing, down to
    /// `Limits.Sending.debts` times what it holds; then takes as many tokens as are wanted, or as there are.
    func draw(
        _ draw: TokenAccount.Draw, from bucket: RateLimitBucket,
        completion: @escaping (_ granted: Int, _ waitMilliseconds: Int64) -> Void)
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

    /// Milliseconds until one token comes back. A bucket must have some rate, whatever was configured; this one is beyond what
    /// can be.
    public var millisecondsPerToken: Double { max(0x1p-40, secondsPerToken * 1_000) }
}

public enum RateLimitDecision: Hashable, Sendable {
    case allowed
    case refused(retryAfterMilliseconds: Int)
}
