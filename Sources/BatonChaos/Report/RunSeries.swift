import BatonHistory

/// What is drawn of a run: its numbers for each part of a grid, from the histories alone.
struct RunSeries: Sendable {
    let grid: TimeGrid
    /// When the load began: the zero of all times that are shown.
    let zero: Int64

    /// A second.
    let accepted: [Double]
    let delivered: [Double]
    /// Milliseconds from sending to applying, of what was sent in that part.
    let latency: [Percentiles?]
    /// Sent, and its sender does not know yet what became of it.
    let unsettled: [Double]
    /// Accepted, and not yet applied by every device that is entitled to it.
    let undelivered: [Double]
    let reconnects: [Double]
    let offline: [Double]
    let nodes: [NodeSeries]
    let redis: RedisSeries

    struct RedisSeries: Sendable {
        let sessions: [Double?]
        let channels: [Double?]
        let memoryMiB: [Double?]
    }

    init(_ histories: RunHistories, _ flow: MessageFlow) {
        let records = histories.cluster?.records ?? []
        grid = Self.grid(histories)
        zero = histories.cluster?.start(of: .load).map(Moment.bounded) ?? grid.start
        let (grid, perSecond) = (grid, grid.secondsPerPart)
        accepted = grid.counts(flow.messages.lazy.compactMap(\.accepted)).map { $0 / perSecond }
        delivered = grid.counts(flow.applications).map { $0 / perSecond }

        var latencies = [[Double]](repeating: [], count: grid.count)
        for delivery in flow.deliveries {
            latencies[grid.part(delivery.sent)].append(Double(delivery.applied - delivery.sent) / 1e6)
        }
        latency = latencies.map { Percentiles($0) }

        unsettled = grid.levels(Self.spans(flow.messages.map { ($0.sent, $0.settled) }))
        undelivered = grid.levels(
            Self.spans(flow.messages.compactMap { message in message.accepted.map { ($0, message.complete) } }))

        let changes = histories.devices.map(\.connectionChanges)
        reconnects = grid.counts(changes.flatMap { $0.filter(\.isOnline).dropFirst().map(\.at) })
        // Before its first connection and after the end of the run a device is none that could be offline.
        let end = histories.cluster?.start(of: .end).map(Moment.bounded) ?? Moment.last
        offline = grid.levels(
            changes.flatMap { changes in
                changes.dropFirst().prefix { $0.at < end }.map { ($0.at, $0.isOnline ? -1.0 : 1.0) }
            })

        nodes = NodeSeries.all(records, grid)
        func redis(_ value: @escaping (ClusterRecord.RedisSample) -> Int?) -> [Double?] {
            grid.maxima(
                records.lazy.compactMap { record in
                    guard case .redis(let sample) = record.event else { return nil }
                    return (record.moment, value(sample).map { Double($0) })
                })
        }
        self.redis = RedisSeries(
            sessions: redis(\.sessions), channels: redis(\.channels),
            memoryMiB: redis(\.memoryKiB).map { $0.map { $0 / 1_024 } })
    }

    /// From the baseline, or the first line there is, to the end, or the last line.
    private static func grid(_ histories: RunHistories) -> TimeGrid {
        let devices = histories.devices.flatMap { [$0.records.first?.moment, $0.records.last?.moment] }
        let cluster = [histories.cluster?.records.first?.moment, histories.cluster?.records.last?.moment]
        let moments = (devices + cluster).compactMap { $0 }
        let first = histories.cluster?.start(of: .baseline).map(Moment.bounded) ?? moments.min() ?? 0
        let last = histories.cluster?.start(of: .end).map(Moment.bounded) ?? moments.max() ?? 0
        return TimeGrid(from: first, to: max(first, last))
    }

    /// Risings and fallings of how much is between its beginning and its end.
    private static func spans(_ spans: [(from: Int64, to: Int64?)]) -> [(at: Int64, by: Double)] {
        spans.flatMap { span -> [(at: Int64, by: Double)] in
            guard let to = span.to else { return [(span.from, 1)] }
            return to > span.from ? [(span.from, 1), (to, -1)] : []
        }
    }
}
