import BatonCore

/// `take_tokens.lua`: takes tokens out of a shared bucket, or gives them back.
struct TakeTokens: RedisScript {
    static let file = ScriptFile.takeTokens
    static let function = RedisFunction.limits
    static let proves = true
    let draw: TokenAccount.Draw
    let bucket: RateLimitBucket

    var keys: [String] { [Keys.limit(bucket)] }

    var arguments: [String] {
        // At least a nanosecond: a bucket must have some rate, whatever was configured.
        [
            "\(max(1, bucket.capacity))", "\(max(0.000_001, bucket.secondsPerToken * 1_000))", "\(max(0, draw.wanted))",
            "\(max(0, draw.least))", "\(draw.spent)",
            "\(Double(bucket.capacity) * Double(Limits.Sending.debts))",
        ]
    }

    func outcome(of reply: RedisValue) -> TakenTokens? {
        guard let parts = reply.array, parts.count == 2, let taken = parts[0].integer, let wait = parts[1].integer
        else { return nil }
        return TakenTokens(count: Int(taken), waitMilliseconds: max(0, wait))
    }
}

/// What a bucket gave.
struct TakenTokens: Hashable, Sendable {
    let count: Int
    /// Where it gave nothing: until it would.
    let waitMilliseconds: Int64
}
