import BatonCore
import CoreMetrics
import Metrics
import Synchronization

/// What a node's canary has seen, for those who ask at any time: `/health/ready` and `/metrics`.
final class CanaryWatch: Sendable {
    private let judge: Mutex<CanaryJudge>
    private let users = Mutex<Set<UserID>>([])
    private let clock = ContinuousClock()
    private let origin: ContinuousClock.Instant
    private let factory: any MetricsFactory

    /// - Parameters:
    ///   - bound: after which what is not delivered has failed; at least two periods, so that one lost round of a slow
    ///     canary is no verdict.
    init(bound: Duration, period: Duration, metrics factory: any MetricsFactory) {
        origin = clock.now
        judge = Mutex(CanaryJudge(bound: max(bound, period * 2), startedAt: .zero))
        self.factory = factory
    }

    /// The node's own users, whose connections and messages count as nobody's.
    func isCanary(_ user: UserID) -> Bool { users.withLock { $0.contains(user) } }

    func add(_ user: UserID) { users.withLock { _ = $0.insert(user) } }

    private var now: Duration { origin.duration(to: clock.now) }

    var verdict: CanaryJudge.Verdict { judge.withLock { $0.verdict(at: now) } }

    func maySend(to target: CanaryJudge.Target) -> Bool { judge.withLock { $0.maySend(to: target) } }

    func sent(_ ref: String, to target: CanaryJudge.Target, user: UserID) {
        counter(MetricNames.canarySent, target).increment()
        // There before anything fails: a counter that begins with its first failure has not risen to Prometheus.
        _ = counter(MetricNames.canaryFailed, target)
        record(judge.withLock { $0.sent(ref, to: target, user: user, at: now) })
    }

    /// These are the living nodes. Also the moment to count what has failed.
    func keep(_ nodes: Set<NodeID>) { judge.withLock { $0.keep(nodes) } }

    /// Whether this node has the bus.
    func bus(isThere: Bool) { judge.withLock { $0.bus(isThere: isThere, at: now) } }

    /// While this node has no bus: these others say that they have it.
    func othersHaveBus(_ others: [NodeID]) { judge.withLock { $0.othersHaveBus(others) } }

    /// Counts what has failed since the last call.
    func countFailures() {
        for target in judge.withLock({ $0.failures(at: now) }) { counter(MetricNames.canaryFailed, target).increment() }
    }

    /// The relay stored a message.
    func accepted(_ ref: String, as sequence: ConversationSequence) {
        record(judge.withLock { $0.accepted(ref, as: sequence, at: now) })
    }

    /// A user's device has everything up to here.
    func delivered(to user: UserID, upTo sequence: ConversationSequence) {
        record(judge.withLock { $0.received(user, upTo: sequence, at: now) })
    }

    /// The relay will not store a message.
    func refused(_ ref: String) {
        guard let target = judge.withLock({ $0.refused(ref) }) else { return }
        counter(MetricNames.canaryFailed, target).increment()
    }

    private func record(_ deliveries: [CanaryJudge.Delivery]) {
        for delivery in deliveries {
            counter(MetricNames.canaryDelivered, delivery.target).increment()
            let (seconds, attoseconds) = delivery.latency.components
            Metrics.Timer(
                label: MetricNames.canarySeconds.name, dimensions: [("target", delivery.target.label)],
                factory: factory
            ).recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        }
    }

    /// Takes a lock: a canary counts once in seconds.
    private func counter(_ definition: MetricDefinition, _ target: CanaryJudge.Target) -> Counter {
        Counter(label: definition.name, dimensions: [("target", target.label)], factory: factory)
    }
}
