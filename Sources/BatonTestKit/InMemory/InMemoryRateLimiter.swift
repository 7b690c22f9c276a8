package import BatonCore
import Synchronization

/// `RateLimiter` over a clock that tests move.
package final class InMemoryRateLimiter: RateLimiter {
    private struct Key: Hashable {
        let who: String
        let what: String
    }

    private let clock: any CivilClock
    private let buckets = Mutex<[Key: TokenBucket]>([:])

    package init(clock: any CivilClock) {
        self.clock = clock
    }

    package func take(_ tokens: Int, from bucket: RateLimitBucket) async -> RateLimitDecision {
        let now = clock.now.milliseconds
        return buckets.withLock { buckets in
            let key = Key(who: bucket.who, what: bucket.what)
            var state =
                buckets[key] ?? TokenBucket(capacity: bucket.capacity, perSecond: 1 / bucket.secondsPerToken)
            defer { buckets[key] = state }
            for _ in 0..<tokens {
                if let wait = state.take(at: now) { return .refused(retryAfterMilliseconds: Int(wait)) }
            }
            return .allowed
        }
    }

    package func giveBack(_ tokens: Int, to bucket: RateLimitBucket) async {
        buckets.withLock { buckets in
            for _ in 0..<tokens { buckets[Key(who: bucket.who, what: bucket.what)]?.giveBack() }
        }
    }
}
