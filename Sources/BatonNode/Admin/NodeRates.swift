/// What a node did between readings of its status: rates from the last two, distributions over a few more, since one
/// second of a quiet cluster holds too few commits to tell of a tail.
package struct NodeRates: Sendable {
    /// A second; nil where there is nothing to compare with.
    package let accepted: Double?
    package let delivered: Double?
    package let missed: Double?
    /// Seconds of CPU a second.
    package let cpu: Double?
    package let accept: Distribution
    package let commit: Distribution
    package let batch: Distribution
    package let probe: Distribution
    package let lag: Distribution

    /// - Parameters:
    ///   - before: the reading before `now`.
    ///   - earlier: one further back. Readings of another life of the node count as none.
    package init(_ now: NodeStatus, before: NodeStatus?, earlier: NodeStatus?) {
        let before = before.flatMap { $0.incarnation == now.incarnation ? $0 : nil }
        let earlier = earlier.flatMap { $0.incarnation == now.incarnation ? $0 : nil } ?? before
        let milliseconds = before.map { now.monotonicMilliseconds - $0.monotonicMilliseconds } ?? 0
        func rate(_ read: (NodeStatus) -> Double) -> Double? {
            guard let before, milliseconds > 0 else { return nil }
            return max(0, read(now) - read(before)) / (Double(milliseconds) / 1_000)
        }
        func spread(_ read: (NodeStatus) -> Distribution) -> Distribution {
            guard let earlier else { return Distribution(bounds: [], counts: [], sum: 0) }
            return read(now).since(read(earlier))
        }
        accepted = rate { Double($0.messages.accepted) }
        delivered = rate { Double($0.messages.deliveredByHint + $0.messages.deliveredByDrain) }
        missed = rate { Double($0.hints.missed) }
        cpu = rate { $0.process.cpuSeconds }
        accept = spread { $0.messages.accept }
        commit = spread { $0.store.commit }
        batch = spread { $0.store.batch }
        probe = spread { $0.redis.probe }
        lag = spread { $0.process.loopLag }
    }
}
