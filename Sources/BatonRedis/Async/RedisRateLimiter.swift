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
        let answer = await client.ask { loop, answer in
            loop.commands.run(TakeTokens(tokens: max(0, tokens), bucket: bucket), completion: answer)
        }
        if case .success(let decision) = answer { return decision }
        observer.limitedLocally()
        let now = (ContinuousClock.now - start) / .milliseconds(1)
        return local.withLock { $0.take(tokens, from: bucket, nowMilliseconds: now) }
    }

    package func giveBack(_ tokens: Int, to bucket: RateLimitBucket) async {
        let answer = await client.ask { loop, answer in
            loop.commands.run(TakeTokens(tokens: -tokens, bucket: bucket), completion: answer)
        }
        if case .success = answer { return }
        local.withLock { $0.giveBack(tokens, to: bucket) }
    }
}
