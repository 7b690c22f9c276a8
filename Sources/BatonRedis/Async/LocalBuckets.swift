import BatonCore

/// Token buckets of one process, or event loop, for while Redis cannot be reached. Bounded: where there are too many, those that are
/// full again go first, then those that were not asked for the longest.
struct LocalBuckets: ~Copyable {
    private struct Bucket {
        var tokens: Double
        var atMilliseconds: Double
    }

    let capacity: Int
    private var buckets: [RateLimitBucket: Bucket] = [:]

    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { buckets.count }

    /// As `take_tokens.lua`.
    mutating func take(
        _ draw: TokenAccount.Draw, from bucket: RateLimitBucket, nowMilliseconds now: Double
    ) -> TakenTokens {
        let interval = bucket.millisecondsPerToken
        let full = Double(max(1, bucket.capacity))
        var state = buckets[bucket] ?? Bucket(tokens: full, atMilliseconds: now)
        let refilled = min(full, state.tokens + max(0, now - state.atMilliseconds) / interval)
        state = Bucket(
            tokens: min(full, max(-full * Double(Limits.Sending.debts), refilled - Double(draw.spent))),
            atMilliseconds: now)
        var taken = 0
        let least = Double(max(0, draw.least))
        if state.tokens >= least {
            taken = min(max(0, draw.wanted), Int(max(0, state.tokens)))
            state.tokens -= Double(taken)
        }
        if buckets[bucket] == nil, buckets.count >= capacity { makeRoom(now: now) }
        // A full bucket is the same as none.
        buckets[bucket] = state.tokens < full ? state : nil
        guard state.tokens < least, taken == 0 else { return TakenTokens(count: taken, waitMilliseconds: 0) }
        let milliseconds = min(((least - state.tokens) * interval - 0.000_1).rounded(.up), 86_400_000)
        return TakenTokens(count: 0, waitMilliseconds: max(1, Int64(milliseconds)))
    }

    private mutating func makeRoom(now: Double) {
        buckets = buckets.filter { bucket, state in
            let interval = bucket.millisecondsPerToken
            return state.tokens + (now - state.atMilliseconds) / interval < Double(bucket.capacity)
        }
        guard buckets.count >= capacity else { return }
        // An eighth at once, so that the sorting is paid for by many.
        let oldest = buckets.sorted { $0.value.atMilliseconds < $1.value.atMilliseconds }.prefix(max(1, capacity / 8))
        for (bucket, _) in oldest { buckets[bucket] = nil }
    }
}
