/// 4. A device has one live connection: a newer one displaces the older one within the bound.
extension HistoryChecker {
    mutating func lookAtConnections() {
        for (history, timeline) in timelines.enumerated() {
            var open: [DeviceTimeline.Connection] = []
            let welcomed = timeline.connections.filter { $0.welcomed != nil }
                .sorted { $0.welcomed?.at ?? 0 < $1.welcomed?.at ?? 0 }
            for newer in welcomed {
                guard let (start, index) = newer.welcomed else { continue }
                open.removeAll { timeline.end(of: $0) <= start }
                for older in open { compare(older, newer, from: start, Spot(history: history, index: index)) }
                open.append(newer)
            }
        }
    }

    private mutating func compare(
        _ older: DeviceTimeline.Connection, _ newer: DeviceTimeline.Connection, from start: Int64, _ spot: Spot
    ) {
        let timeline = timelines[spot.history]
        let end = min(timeline.end(of: older), timeline.end(of: newer))
        let nodes = [older.node, newer.node].compactMap { $0 }
        let isBroken = faults.quiet(nodes, from: start, to: end, aftermath: bounds.presenceAfterFault)
            .contains { $0.to - $0.from > bounds.displacement }
        guard isBroken else { return }
        let evidence = [older.welcomed?.index, spot.index, older.ended?.index].compactMap { $0 }
        broken(
            .twoConnections,
            "\(histories[spot.history].name) had connections \(older.number) and \(newer.number) for "
                + "\((end - start) / 1_000_000) ms", evidence.map { Spot(history: spot.history, index: $0) })
    }
}
