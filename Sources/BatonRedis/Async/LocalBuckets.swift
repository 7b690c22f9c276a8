import BatonCore

/// Token buckets of one process, or event loop, for while Redis cannot be reached. Bounded: where there are too many, those that are
/// full again go first, then those that were not asked for the longest.
struct LocalBuckets: ~Copyable {
    /// For longer than a day nobody is told to wait.
    private static let longestWaitMilliseconds: Int64 = 86_400_000

    let capacity: Int
    private var buckets: [RateLimitBucket: TokenBucket] = [:]

    init(capacity: Int) {
        self.capacity = capacity
    }

    var count: Int { buckets.count }

    /// As `take_tokens.lua`.
    mutating func take(
        _ draw: TokenAccount.Draw, from bucket: RateLimitBucket, nowMilliseconds now: Double
    ) -> TakenTokens {
        var state = buckets[bucket] ?? TokenBucket(bucket)
        let taken = state.draw(draw, atMilliseconds: now)
        if buckets[bucket] == nil, buckets.count >= capacity { makeRoom(now: now) }
        // A full bucket is the same as none.
        buckets[bucket] = state.isFull ? nil : state
        return TakenTokens(
            count: taken.count, waitMilliseconds: min(taken.waitMilliseconds, Self.longestWaitMilliseconds))
    }

    private mutating func makeRoom(now: Double) {
        buckets = buckets.filter { _, state in
            var state = state
            state.refill(atMilliseconds: now)
            return !state.isFull
        }
        guard buckets.count >= capacity else { return }
        // An eighth at once, so that the sorting is paid for by many.
        let oldest = buckets.sorted { $0.value.filledAtMilliseconds ?? 0 < $1.value.filledAtMilliseconds ?? 0 }.prefix(
            max(1, capacity / 8))
        for (bucket, _) in oldest { buckets[bucket] = nil }
    }
}
