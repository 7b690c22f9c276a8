import BatonCore

/// Token buckets of one process, for while Redis cannot be reached. Bounded: where there are too many, those that are
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

    mutating func take(_ tokens: Int, from bucket: RateLimitBucket, nowMilliseconds now: Double) -> RateLimitDecision {
        let interval = max(0.001, bucket.secondsPerToken * 1_000)
        var state = buckets[bucket] ?? Bucket(tokens: Double(max(1, bucket.capacity)), atMilliseconds: now)
        let refilled = state.tokens + max(0, now - state.atMilliseconds) / interval
        state = Bucket(tokens: min(Double(max(1, bucket.capacity)), refilled), atMilliseconds: now)
        let wanted = Double(max(0, tokens))
        let isAllowed = state.tokens >= wanted
        if isAllowed { state.tokens -= wanted }
        if buckets[bucket] == nil, buckets.count >= capacity { makeRoom(now: now) }
        buckets[bucket] = state
        if isAllowed { return .allowed }
        let milliseconds = min(((wanted - state.tokens) * interval - 0.000_1).rounded(.up), 86_400_000)
        return .refused(retryAfterMilliseconds: max(1, Int(milliseconds)))
    }

    /// To a bucket that is not here, and so is full, nothing is given.
    mutating func giveBack(_ tokens: Int, to bucket: RateLimitBucket) {
        guard let state = buckets[bucket] else { return }
        buckets[bucket]?.tokens = min(Double(max(1, bucket.capacity)), state.tokens + Double(max(0, tokens)))
    }

    private mutating func makeRoom(now: Double) {
        buckets = buckets.filter { bucket, state in
            let interval = max(0.001, bucket.secondsPerToken * 1_000)
            return state.tokens + (now - state.atMilliseconds) / interval < Double(bucket.capacity)
        }
        guard buckets.count >= capacity else { return }
        // An eighth at once, so that the sorting is paid for by many.
        let oldest = buckets.sorted { $0.value.atMilliseconds < $1.value.atMilliseconds }.prefix(max(1, capacity / 8))
        for (bucket, _) in oldest { buckets[bucket] = nil }
    }
}
