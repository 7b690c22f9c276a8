import BatonNode

/// A column of the table of nodes: what it shows of a node that answers, and by what it sorts.
struct TopColumn: Sendable {
    let title: String
    /// In a narrow terminal those with the greatest go first.
    let rank: Int
    let text: @Sendable (TopModel.Row, NodeStatus) -> String
    /// By its text where nil.
    let order: (@Sendable (TopModel.Row) -> Double)?
    var isTrouble: @Sendable (TopModel.Row, NodeStatus) -> Bool = { _, _ in false }

    static let all: [TopColumn] = [
        TopColumn(title: "NODE", rank: 0, text: { row, _ in row.node.node }, order: nil),
        TopColumn(
            title: "STATE", rank: 0, text: { row, status in state(row, status) }, order: nil,
            isTrouble: { _, status in !status.ready || status.degraded }),
        number("CONNS", 1) { Double($0.status?.connections.open ?? 0) },
        number("ACC/S", 1) { $0.rates?.accepted },
        number("EVENTS/S", 2) { $0.rates?.delivered },
        quantile("ACCEPT p50", 5, 0.5) { $0.accept },
        quantile("ACCEPT p99", 2, 0.99) { $0.accept },
        quantile("COMMIT p50", 6, 0.5) { $0.commit },
        quantile("COMMIT p99", 3, 0.99) { $0.commit },
        number("BATCH", 4) { $0.rates?.batch.mean },
        number("MISSED", 3, isTrouble: { row, _ in (row.rates?.missed ?? 0) > 0 }) {
            Double($0.status?.hints.missed ?? 0)
        },
        number("UNACKED", 5) { Double($0.status?.messages.unacknowledged ?? 0) },
        number("SLOW", 4, isTrouble: { _, status in status.slowReaders.count > 0 }) {
            Double($0.status?.slowReaders.count ?? 0)
        },
        TopColumn(
            title: "REDIS", rank: 4, text: { _, status in "\(status.redis.connected)/\(status.redis.loops)" },
            order: { Double($0.status?.redis.connected ?? 0) },
            isTrouble: { _, status in status.redis.connected < status.redis.loops }),
        quantile("PROBE p99", 8, 0.99) { $0.probe },
        quantile("LAG p99", 6, 0.99) { $0.lag },
        TopColumn(
            title: "CPU", rank: 5, text: { row, _ in TopNumber.share(row.rates?.cpu) },
            order: { $0.rates?.cpu ?? -1 }),
        TopColumn(
            title: "MEM", rank: 7, text: { _, status in TopNumber.bytes(status.process.residentBytes) },
            order: { Double($0.status?.process.residentBytes ?? 0) }),
        number("FILES", 9) { Double($0.status?.process.descriptors ?? 0) },
        TopColumn(
            title: "UP", rank: 7, text: { _, status in TopNumber.time(status.uptimeSeconds) },
            order: { $0.status?.uptimeSeconds ?? 0 }),
    ]

    private static func number(
        _ title: String, _ rank: Int,
        isTrouble: @escaping @Sendable (TopModel.Row, NodeStatus) -> Bool = { _, _ in false },
        _ read: @escaping @Sendable (TopModel.Row) -> Double?
    ) -> TopColumn {
        TopColumn(
            title: title, rank: rank, text: { row, _ in TopNumber.count(read(row)) }, order: { read($0) ?? -1 },
            isTrouble: isTrouble)
    }

    private static func quantile(
        _ title: String, _ rank: Int, _ fraction: Double, _ read: @escaping @Sendable (NodeRates) -> Distribution
    ) -> TopColumn {
        let value: @Sendable (TopModel.Row) -> Double? = { row in row.rates.flatMap { read($0).quantile(fraction) } }
        return TopColumn(
            title: title, rank: rank, text: { row, _ in TopNumber.seconds(value(row)) }, order: { value($0) ?? -1 })
    }

    static func state(_ row: TopModel.Row, _ status: NodeStatus) -> String {
        if !status.ready { return status.reasons.first ?? "not ready" }
        if status.degraded { return status.reasons.first ?? "degraded" }
        return row.node.lease == "evacuating" ? "evacuating" : "ready"
    }
}
