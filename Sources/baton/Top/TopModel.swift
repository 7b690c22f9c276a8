import BatonNode

/// The last looks at a cluster, and what follows from them. Pure: the same looks make the same rows.
struct TopModel {
    /// Looks over which a distribution is taken.
    static let looksKept = 6
    /// Missed hints are counted over so many looks.
    static let missedKept = 60
    /// A node that went is shown for so long.
    static let goneMilliseconds: Int64 = 5 * 60 * 1_000

    /// One node, now.
    struct Row {
        let node: ClusterStatus.Node
        let rates: NodeRates?
        var status: NodeStatus? { node.status }
    }

    private(set) var looks: [ClusterStatus] = []
    private(set) var rows: [Row] = []
    /// Nodes that were here and are no more, and when they answered last, in milliseconds since 1970.
    private(set) var gone: [(node: String, lastSeen: Int64)] = []
    private var lastSeen: [String: Int64] = [:]
    /// Nodes that did not answer when they were last named, and were not about to leave.
    private var silent: Set<String> = []
    private var missed: [Int64] = []

    var latest: ClusterStatus? { looks.last }
    /// Hints that were missed at the looks of about the last minute.
    var missedLately: Int64 { missed.reduce(0, +) }

    mutating func saw(_ look: ClusterStatus) {
        // The same answer again: the node asks the others less often than it is asked.
        if let latest, latest.at == look.at, latest.answeredBy == look.answeredBy { return }
        looks.append(look)
        if looks.count > Self.looksKept { looks.removeFirst() }
        let before = looks.count > 1 ? looks[looks.count - 2] : nil
        rows = look.nodes.map { node in
            guard let status = node.status else { return Row(node: node, rates: nil) }
            return Row(
                node: node,
                rates: NodeRates(
                    status, before: before?.status(of: node.node), earlier: looks[0].status(of: node.node)))
        }
        missed.append(newlyMissed(look, since: before))
        if missed.count > Self.missedKept { missed.removeFirst() }
        noteGone(look)
    }

    private func newlyMissed(_ look: ClusterStatus, since before: ClusterStatus?) -> Int64 {
        look.nodes.reduce(into: 0) { sum, node in
            guard let now = node.status, let old = before?.status(of: node.node), old.incarnation == now.incarnation
            else { return }
            sum += max(0, now.hints.missed - old.hints.missed)
        }
    }

    private mutating func noteGone(_ look: ClusterStatus) {
        for node in look.nodes where node.status != nil || lastSeen[node.node] == nil { lastSeen[node.node] = look.at }
        for node in look.nodes {
            if node.status == nil, node.lease != "evacuating" {
                silent.insert(node.node)
            } else {
                silent.remove(node.node)
            }
        }
        lastSeen = lastSeen.filter { look.at - $0.value <= Self.goneMilliseconds }
        let present = Set(look.nodes.map(\.node))
        gone = lastSeen.filter { !present.contains($0.key) }.map { (node: $0.key, lastSeen: $0.value) }.sorted {
            $0.node < $1.node
        }
        silent.formIntersection(lastSeen.keys)
    }

    // MARK: All nodes together

    func rate(_ read: (NodeRates) -> Double?) -> Double? {
        let values = rows.compactMap { $0.rates.flatMap(read) }
        return values.isEmpty ? nil : values.reduce(0, +)
    }

    func total(_ read: (NodeStatus) -> Int) -> Int { rows.compactMap(\.status).map(read).reduce(0, +) }

    func whole(_ read: (NodeRates) -> Distribution) -> Distribution {
        rows.compactMap(\.rates).map(read).reduce(Distribution(bounds: [], counts: [], sum: 0)) { $0.merged(with: $1) }
    }

    /// What is wrong: what the cluster says, and what shows only over time.
    var problems: [ClusterStatus.Problem] {
        var problems = latest?.problems ?? []
        // One that was told to stop says so in its lease, and answers until it does.
        problems += gone.filter { silent.contains($0.node) }.map { node in
            ClusterStatus.Problem(severity: .warning, node: node.node, text: "is gone: its lease ended")
        }
        if missedLately > 0 {
            problems.append(
                ClusterStatus.Problem(
                    severity: .warning, text: "\(missedLately) hints were missed lately, and delivered by the backstop")
            )
        }
        return problems
    }
}

extension ClusterStatus {
    fileprivate func status(of node: String) -> NodeStatus? { nodes.first { $0.node == node }?.status }
}
