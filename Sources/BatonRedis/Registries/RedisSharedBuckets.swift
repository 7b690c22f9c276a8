import BatonCore
import NIOCore

/// Shares of the buckets in Redis; while it cannot be reached, of buckets of this event loop.
final class RedisSharedBuckets: SharedBuckets {
    private let commands: RedisCommands
    private let eventLoop: any EventLoop
    private let observer: any RedisObserver
    private var local = LocalBuckets(capacity: Limits.Redis.localBuckets)

    init(commands: RedisCommands, eventLoop: any EventLoop, observer: any RedisObserver) {
        self.commands = commands
        self.eventLoop = eventLoop
        self.observer = observer
    }

    func draw(
        _ draw: TokenAccount.Draw, from bucket: RateLimitBucket,
        completion: @escaping (_ granted: Int, _ waitMilliseconds: Int64) -> Void
    ) {
        commands.run(TakeTokens(draw: draw, bucket: bucket)) { result in
            let taken: TakenTokens
            if case .success(let answer) = result {
                taken = answer
            } else {
                self.observer.limitedLocally()
                let now = Double(self.eventLoop.now.uptimeNanoseconds) / 1_000_000
                taken = self.local.take(draw, from: bucket, nowMilliseconds: now)
            }
            completion(taken.count, taken.waitMilliseconds)
        }
    }
}

@available(*, unavailable)
extension RedisSharedBuckets: Sendable {}
