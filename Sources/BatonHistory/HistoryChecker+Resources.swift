/// 5. What the cluster uses when nothing is under way is afterwards what it was before.
extension HistoryChecker {
    /// A number that the harness sampled, of the cluster or of one node.
    private typealias Sample = (value: Int, spot: Spot)

    mutating func lookForMisbehaviour() {
        for (index, record) in (cluster?.records ?? []).enumerated() {
            guard case .misbehaved(let what) = record.event else { continue }
            broken(.misbehaved, what, Spot(history: Spot.cluster, index: index))
        }
    }

    mutating func lookAtResources() {
        guard let cluster, let baseline = cluster.start(of: .baseline), let load = cluster.start(of: .load),
            let settled = cluster.start(of: .settled)
        else { return }
        let before = samples { $0 >= baseline && $0 < load }
        let after = samples { $0 >= settled }
        let nodes = Set(before.nodes.keys).intersection(after.nodes.keys)
        // Clients choose their nodes anew, so the nodes' connections are counted together.
        compare("connections of all nodes", before.total(\.connections), after.total(\.connections), bounds.connections)
        for node in nodes.sorted() {
            let (old, new) = (before.nodes[node] ?? [], after.nodes[node] ?? [])
            compare(
                "descriptors of \(node)", old.most(\.descriptors), new.least(\.descriptors), bounds.descriptorsPerNode)
            let resident = old.most(\.residentKiB)
            compare(
                "KiB of memory of \(node)", resident, new.least(\.residentKiB),
                bounds.residentKiBPerNode + Int(Double(resident?.value ?? 0) * bounds.residentGrowth))
        }
        compare("sessions in Redis", before.redis.most(\.sessions), after.redis.least(\.sessions), bounds.sessions)
        compare("channels in Redis", before.redis.most(\.channels), after.redis.least(\.channels), bounds.channels)
    }

    /// Before, the most that was seen; afterwards, the least: what only passes is no leak.
    private mutating func compare(_ what: String, _ before: Sample?, _ after: Sample?, _ tolerance: Int) {
        guard let before, let after, Double(after.value) - Double(before.value) > Double(tolerance) else { return }
        broken(
            .notBackToBaseline, "\(what): \(after.value) in the end, \(before.value) before the load", before.spot,
            after.spot)
    }

    private func samples(_ isWanted: (Int64) -> Bool) -> Samples {
        var samples = Samples()
        for (index, record) in (cluster?.records ?? []).enumerated() where isWanted(record.at) {
            let spot = Spot(history: Spot.cluster, index: index)
            switch record.event {
            case .node(let sample): samples.nodes[sample.node, default: []].append((sample, spot))
            case .redis(let sample): samples.redis.append((sample, spot))
            default: break
            }
        }
        return samples
    }

    private struct Samples {
        var nodes: [String: [(sample: ClusterRecord.NodeSample, spot: Spot)]] = [:]
        var redis: [(sample: ClusterRecord.RedisSample, spot: Spot)] = []

        /// The sum over the nodes of each node's last number; nil where one is not known.
        func total(_ number: KeyPath<ClusterRecord.NodeSample, Int?>) -> Sample? {
            var sum = 0
            var last: Spot?
            for samples in nodes.values {
                guard let known = samples.last(where: { $0.sample[keyPath: number] != nil }),
                    let value = known.sample[keyPath: number]
                else { return nil }
                sum = sum.addingReportingOverflow(value).partialValue
                if known.spot.index > last?.index ?? -1 { last = known.spot }
            }
            return last.map { (sum, $0) }
        }
    }
}

extension Array {
    fileprivate func most<Sampled>(
        _ number: KeyPath<Sampled, Int?>
    ) -> (value: Int, spot: HistoryChecker.Spot)? where Element == (sample: Sampled, spot: HistoryChecker.Spot) {
        known(number).max { $0.value < $1.value }
    }

    fileprivate func least<Sampled>(
        _ number: KeyPath<Sampled, Int?>
    ) -> (value: Int, spot: HistoryChecker.Spot)? where Element == (sample: Sampled, spot: HistoryChecker.Spot) {
        known(number).min { $0.value < $1.value }
    }

    private func known<Sampled>(
        _ number: KeyPath<Sampled, Int?>
    ) -> [(value: Int, spot: HistoryChecker.Spot)] where Element == (sample: Sampled, spot: HistoryChecker.Spot) {
        compactMap { entry in entry.sample[keyPath: number].map { ($0, entry.spot) } }
    }
}
