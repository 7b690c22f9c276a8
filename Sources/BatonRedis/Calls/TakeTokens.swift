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
        [
            "\(max(1, bucket.capacity))", "\(bucket.millisecondsPerToken)", "\(max(0, draw.wanted))",
            "\(max(0, draw.least))", "\(draw.spent)",
            "\(Double(bucket.capacity) * Double(Limits.Sending.debts))",
        ]
    }

    func outcome(of reply: RedisValue) -> TakenTokens? {
        // What the script cannot say is not believed: in a sum, no number would hold it.
        guard let parts = reply.array, parts.count == 2, let taken = parts[0].integer, let wait = parts[1].integer,
            taken >= 0, taken <= max(0, draw.wanted)
        else { return nil }
        return TakenTokens(count: Int(taken), waitMilliseconds: min(max(0, wait), longestWait))
    }

    /// From the largest debt to the least that is taken.
    private var longestWait: Int64 {
        let tokens = Double(max(1, bucket.capacity)) * Double(Limits.Sending.debts) + Double(max(0, draw.least))
        let milliseconds = (tokens * bucket.millisecondsPerToken).rounded(.up)
        return Int64(exactly: min(milliseconds, 0x1p53)) ?? 0
    }
}
