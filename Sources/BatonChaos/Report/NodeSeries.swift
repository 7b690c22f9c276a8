import BatonHistory

/// What was seen of one node, for each part of a grid.
struct NodeSeries: Sendable {
    let name: String
    /// The worst state of the part, with all reasons; nil where nobody looked.
    let states: [State?]
    let connections: [Double?]
    let residentMiB: [Double?]
    let descriptors: [Double?]

    struct State: Hashable, Sendable {
        var readiness: ClusterRecord.Readiness
        var reasons: [String]
    }

    /// Further nodes are not drawn.
    static let most = 16
    /// Reasons that are told of one stretch.
    static let mostReasons = 6

    /// All nodes by name, the second one before the tenth.
    static func all(_ records: [ClusterRecord], _ grid: TimeGrid) -> [NodeSeries] {
        var samples: [String: [(at: Int64, sample: ClusterRecord.NodeSample)]] = [:]
        for record in records {
            guard case .node(let sample) = record.event else { continue }
            samples[sample.node, default: []].append((record.moment, sample))
        }
        return samples.sorted { ($0.key.utf8.count, $0.key) < ($1.key.utf8.count, $1.key) }.prefix(most)
            .map { NodeSeries($0.key, $0.value, grid) }
    }

    private init(_ name: String, _ samples: [(at: Int64, sample: ClusterRecord.NodeSample)], _ grid: TimeGrid) {
        func maxima(_ value: @escaping (ClusterRecord.NodeSample) -> Int?) -> [Double?] {
            grid.maxima(samples.lazy.map { at, sample in (at, value(sample).map { Double($0) }) })
        }
        self.name = name
        connections = maxima(\.connections)
        residentMiB = maxima(\.residentKiB).map { $0.map { $0 / 1_024 } }
        descriptors = maxima(\.descriptors)
        states = Self.states(samples, grid)
    }

    private static func states(
        _ samples: [(at: Int64, sample: ClusterRecord.NodeSample)], _ grid: TimeGrid
    ) -> [State?] {
        var states = [State?](repeating: nil, count: grid.count)
        var last: [(part: Int, state: State)] = []
        for (at, sample) in samples where grid.contains(at) {
            let part = grid.part(at)
            let seen = State(readiness: sample.readiness, reasons: Array(sample.reasons.prefix(mostReasons)))
            states[part] = states[part].map { $0.joined(with: seen, most: mostReasons) } ?? seen
            if last.last?.part == part { last.removeLast() }
            last.append((part, seen))
        }
        let parts = Int(TimeGrid.holds / grid.width) + 1
        for (index, (part, state)) in last.enumerated() {
            let next = index + 1 < last.count ? last[index + 1].part : grid.count
            for empty in part + 1..<max(part + 1, min(next, part + 1 + parts)) { states[empty] = state }
        }
        return states
    }
}

extension NodeSeries.State {
    fileprivate func joined(with other: Self, most: Int) -> Self {
        var joined = readiness.rank >= other.readiness.rank ? self : other
        for reason in reasons + other.reasons where !joined.reasons.contains(reason) {
            if joined.reasons.count < most { joined.reasons.append(reason) }
        }
        return joined
    }
}

extension ClusterRecord.Readiness {
    /// The greater the worse.
    var rank: Int {
        switch self {
        case .ready: 0
        case .degraded: 1
        case .unready: 2
        case .unreachable: 3
        }
    }
}
