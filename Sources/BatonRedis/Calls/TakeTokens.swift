import BatonCore

/// `take_tokens.lua`: takes tokens out of a shared bucket, or gives them back.
struct TakeTokens: RedisScript {
    static let file = ScriptFile.takeTokens
    /// Below zero: so many are given back.
    let tokens: Int
    let bucket: RateLimitBucket

    var keys: [String] { [Keys.limit(bucket)] }

    var arguments: [String] {
        // At least a thousandth of a millisecond: a bucket must have some rate, whatever was configured.
        ["\(max(1, bucket.capacity))", "\(max(0.001, bucket.secondsPerToken * 1_000))", "\(tokens)"]
    }

    func outcome(of reply: RedisValue) -> RateLimitDecision? {
        reply.integer.map { $0 <= 0 ? .allowed : .refused(retryAfterMilliseconds: Int($0)) }
    }
}
