public import BatonCore

/// `SharedBuckets` of a cluster in memory. While that is down each loop has its own.
public final class InMemorySharedBuckets: SharedBuckets {
    private let cluster: InMemoryCluster
    private var own: [RateLimitBucket: InMemoryCluster.Bucket] = [:]
    /// Draws so far.
    public private(set) var draws: [TokenAccount.Draw] = []
    /// While true, answers are held back.
    public var isSlow = false {
        didSet { if !isSlow { answer() } }
    }
    private var held: [() -> Void] = []

    public init(_ cluster: InMemoryCluster) {
        self.cluster = cluster
    }

    public func draw(
        _ draw: TokenAccount.Draw, from bucket: RateLimitBucket,
        completion: @escaping (_ granted: Int, _ waitMilliseconds: Int64) -> Void
    ) {
        draws.append(draw)
        let full = InMemoryCluster.Bucket(tokens: Double(bucket.capacity), at: cluster.now)
        var state = (cluster.isDown ? own[bucket] : cluster.buckets[bucket]) ?? full
        let (granted, wait) = state.take(draw, bucket, at: cluster.now)
        if cluster.isDown { own[bucket] = state } else { cluster.buckets[bucket] = state }
        held.append { completion(granted, wait) }
        if !isSlow { answer() }
    }

    private func answer() {
        let answers = held
        held = []
        for answer in answers { answer() }
    }
}

extension InMemoryCluster {
    struct Bucket {
        var tokens: Double
        var at: Timestamp

        mutating func take(
            _ draw: TokenAccount.Draw, _ bucket: RateLimitBucket, at now: Timestamp
        ) -> (granted: Int, waitMilliseconds: Int64) {
            let (interval, full) = (bucket.millisecondsPerToken, Double(bucket.capacity))
            tokens = min(full, tokens + Double(now.milliseconds - at.milliseconds) / interval)
            tokens = max(-full * Double(Limits.Sending.debts), tokens - Double(draw.spent))
            at = now
            guard tokens >= Double(draw.least) else {
                return (0, Int64(((Double(draw.least) - tokens) * interval).rounded(.up)))
            }
            let granted = min(draw.wanted, Int(tokens))
            tokens -= Double(granted)
            return (granted, 0)
        }
    }
}

@available(*, unavailable)
extension InMemorySharedBuckets: Sendable {}
