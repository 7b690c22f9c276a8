public import BatonCore

/// `SharedBuckets` of a cluster in memory. While that is down each loop has its own.
public final class InMemorySharedBuckets: SharedBuckets {
    private let cluster: InMemoryCluster
    private var own: [RateLimitBucket: TokenBucket] = [:]
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
        var state = (cluster.isDown ? own[bucket] : cluster.buckets[bucket]) ?? TokenBucket(bucket)
        let taken = state.draw(draw, atMilliseconds: Double(cluster.now.milliseconds))
        if cluster.isDown { own[bucket] = state } else { cluster.buckets[bucket] = state }
        held.append { completion(taken.count, taken.waitMilliseconds) }
        if !isSlow { answer() }
    }

    private func answer() {
        let answers = held
        held = []
        for answer in answers { answer() }
    }
}

@available(*, unavailable)
extension InMemorySharedBuckets: Sendable {}
