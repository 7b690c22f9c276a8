package import BatonCore
import Synchronization

/// Token buckets in Redis, which all nodes share; while Redis cannot be reached, buckets of this process.
package final class RedisRateLimiter: RateLimiter {
    private let client: RedisClient
    private let observer: any RedisObserver
    private let start = ContinuousClock.now
    private let local: Mutex<LocalBuckets>

    package init(client: RedisClient, observer: any RedisObserver = SilentRedisObserver()) {
        self.client = client
        self.observer = observer
        local = Mutex(LocalBuckets(capacity: Limits.Redis.localBuckets))
    }

    package func take(_ tokens: Int, from bucket: RateLimitBucket) async -> RateLimitDecision {
        let taken = await draw(TokenAccount.Draw(spent: 0, wanted: tokens, least: tokens), from: bucket)
        return taken.count >= tokens
            ? .allowed : .refused(retryAfterMilliseconds: Int(clamping: taken.waitMilliseconds))
    }

    package func giveBack(_ tokens: Int, to bucket: RateLimitBucket) async {
        _ = await draw(.givingBack(tokens), from: bucket)
    }

    private func draw(_ draw: TokenAccount.Draw, from bucket: RateLimitBucket) async -> TakenTokens {
        let answer = await client.ask { loop, answer in
            loop.commands.run(TakeTokens(draw: draw, bucket: bucket), completion: answer)
        }
        if case .success(let taken) = answer { return taken }
        observer.limitedLocally()
        let now = (ContinuousClock.now - start) / .milliseconds(1)
        return local.withLock { $0.take(draw, from: bucket, nowMilliseconds: now) }
    }
}
