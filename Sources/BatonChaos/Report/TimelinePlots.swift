import BatonHistory

/// The plots of a run, in the order in which they stand below each other.
extension RunSeries {
    var flowPlots: [TimelinePlot] {
        [
            TimelinePlot(
                title: "Throughput", note: "messages a second",
                series: [
                    .init(name: "accepted", color: "c1", shape: .line, values: accepted),
                    .init(name: "delivered", color: "c2", shape: .area, values: delivered),
                ], scale: .linear(accepted + delivered), reading: Reading.short),
            TimelinePlot(
                title: "Latency", note: "from sending until a device applies it, by the time of sending",
                series: [
                    .init(name: "p50", color: "c1", shape: .line, values: latency.map { $0?.p50 }),
                    .init(name: "p99", color: "c3", shape: .line, values: latency.map { $0?.p99 }),
                    .init(name: "max", color: "c4", shape: .line, values: latency.map { $0?.max }),
                ],
                scale: .logarithmic(latency.compactMap { $0 }.flatMap { [$0.p50, $0.max] }),
                reading: Reading.milliseconds),
            TimelinePlot(
                title: "Backlog", note: "messages under way",
                series: [
                    .init(name: "sent, not yet accepted", color: "c1", shape: .line, values: unsettled),
                    .init(
                        name: "accepted, not yet applied by all entitled devices", color: "c4", shape: .area,
                        values: undelivered),
                ], scale: .linear(undelivered + unsettled), reading: Reading.short),
            TimelinePlot(
                title: "Connections", note: "devices",
                series: [
                    .init(name: "reconnects", color: "c5", shape: .bars, values: reconnects),
                    .init(name: "offline", color: "c6", shape: .area, values: offline),
                ], scale: .linear(reconnects + offline, atLeast: 4), reading: Reading.short),
        ]
    }

    var resourcePlots: [TimelinePlot] {
        func values(_ series: [TimelinePlot.Series]) -> [Double] { series.flatMap { $0.values.compactMap { $0 } } }
        func plot(_ title: String, _ note: String, _ series: [TimelinePlot.Series]) -> TimelinePlot? {
            guard series.contains(where: { $0.values.contains { $0 != nil } }) else { return nil }
            return TimelinePlot(
                title: title, note: note, series: series, scale: .linear(values(series)), reading: Reading.short)
        }
        return [
            plot(
                "Memory", "resident MiB of each node, and what Redis says that it uses",
                perNode(\.residentMiB)
                    + [.init(name: "redis", color: "c0", shape: .line, values: redis.memoryMiB, isDashed: true)]),
            plot("Descriptors", "open files and sockets of each node", perNode(\.descriptors)),
            plot("Connections by node", "as each node counts them", perNode(\.connections)),
            plot(
                "Redis", "what it holds",
                [
                    .init(name: "sessions", color: "c1", shape: .line, values: redis.sessions),
                    .init(name: "channels", color: "c3", shape: .line, values: redis.channels),
                ]),
        ].compactMap { $0 }
    }

    /// Neighbours are far apart.
    private static let colors = ["c1", "c3", "c5", "c7", "c4", "c2"]

    private func perNode(_ values: KeyPath<NodeSeries, [Double?]>) -> [TimelinePlot.Series] {
        nodes.enumerated().map { index, node in
            TimelinePlot.Series(
                name: node.name, color: Self.colors[index % Self.colors.count], shape: .line,
                values: node[keyPath: values],
                isDashed: index >= Self.colors.count)
        }
    }
}
