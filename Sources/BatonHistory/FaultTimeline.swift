/// When what was broken, from the harness' own history: for the invariants whose bounds of time count from where
/// nothing was broken any more.
struct FaultTimeline {
    struct Fault {
        let kind: String
        let target: String
        let start: Int64
        /// nil: it was never mended.
        let end: Int64?
        /// The place of the record that says so.
        let healed: Int?

        /// A node's process ended and another one takes its place. Connections to it end with it, which everybody
        /// sees, and nobody else is concerned.
        var isNodeEnd: Bool { FaultTimeline.nodeEnds.contains(kind) && FaultTimeline.isNode(target) }
    }

    private static let nodeEnds: Set<String> = ["node", "kill-two", "sigterm", "failpoint", "mixed"]
    private static let others: Set<String> = ["redis", "store", "clients", "all"]

    /// In the order of their beginnings.
    let faults: [Fault]

    init(_ cluster: ClusterHistory?) {
        var healed: [Int: Int] = [:]
        let records = cluster?.records ?? []
        for (index, record) in records.enumerated() {
            if case .healed(let number) = record.event, healed[number] == nil { healed[number] = index }
        }
        faults = records.compactMap { record in
            guard case .fault(let number, let kind, let target, _) = record.event else { return nil }
            let end = healed[number]
            return Fault(
                kind: kind, target: target, start: record.at, end: end.map { max(records[$0].at, record.at) },
                healed: end)
        }.sorted { $0.start < $1.start }
    }

    /// Everything else than the names of what all share.
    static func isNode(_ target: String) -> Bool { !others.contains(target) }

    /// Faults that may be felt in a stretch of time by those connected to these nodes.
    func concerning(_ nodes: [String], from start: Int64, to end: Int64) -> [Fault] {
        faults.prefix { $0.start < end }.filter { fault in
            guard !fault.isNodeEnd, fault.end ?? .max > start else { return false }
            return !Self.isNode(fault.target) || nodes.contains(fault.target)
        }
    }

    /// All faults of a stretch of time, but for ends of nodes' processes: a node that hangs may hold what all need.
    func any(from start: Int64, to end: Int64) -> [Fault] {
        faults.prefix { $0.start < end }.filter { !$0.isNodeEnd && $0.end ?? .max > start }
    }

    /// The parts of a stretch of time in which nothing was broken that concerns these nodes, nor a while before.
    ///
    /// - Parameter aftermath: how long a mended fault is felt.
    func quiet(_ nodes: [String], from start: Int64, to end: Int64, aftermath: Int64) -> [(from: Int64, to: Int64)] {
        var parts: [(from: Int64, to: Int64)] = []
        var from = start
        for fault in concerning(nodes, from: start - aftermath, to: end) {
            if fault.start > from { parts.append((from, fault.start)) }
            guard let healed = fault.end, healed < end else { return parts }
            from = max(from, healed.saturatingAdding(aftermath))
        }
        if from < end { parts.append((from, end)) }
        return parts
    }
}

extension Int64 {
    /// Times of damaged histories may be as late as numbers go.
    func saturatingAdding(_ other: Int64) -> Int64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
