package import BatonCore
import Synchronization

/// `RateLimiter` over a clock that tests move.
package final class InMemoryRateLimiter: RateLimiter {
    private let clock: any CivilClock
    private let buckets = Mutex<[RateLimitBucket: TokenBucket]>([:])

    package init(clock: any CivilClock) {
        self.clock = clock
    }

    package func take(_ tokens: Int, from bucket: RateLimitBucket) async -> RateLimitDecision {
        let taken = draw(TokenAccount.Draw(spent: 0, wanted: tokens, least: tokens), from: bucket)
        return taken.count >= tokens
            ? .allowed : .refused(retryAfterMilliseconds: Int(clamping: taken.waitMilliseconds))
    }

    package func giveBack(_ tokens: Int, to bucket: RateLimitBucket) async {
        _ = draw(.givingBack(tokens), from: bucket)
    }

    private func draw(_ draw: TokenAccount.Draw, from bucket: RateLimitBucket) -> TakenTokens {
        let now = Double(clock.now.milliseconds)
        return buckets.withLock { buckets in
            buckets[bucket, default: TokenBucket(bucket)].draw(draw, atMilliseconds: now)
        }
    }
}
