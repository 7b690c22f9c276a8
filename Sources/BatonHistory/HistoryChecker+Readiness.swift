/// 5. A node that delivers nothing, though there is something to be delivered, does not call itself ready.
extension HistoryChecker {
    /// A message that waited for a device that was connected to a node and read.
    private struct Waiting {
        let from: Int64
        let to: Int64
        let ok: Spot
        let connected: Spot
    }

    mutating func lookAtReadiness() {
        var waiting: [String: [Waiting]] = [:]
        for (name, message) in sent {
            guard let ok = message.ok else { continue }
            for history in entitled(to: name, message) { collect(ok, on: history, &waiting) }
        }
        guard !waiting.isEmpty else { return }
        let samples = readinessSamples()
        for (node, waiting) in waiting {
            let received = receptions(at: node, on: historiesConnected(to: node))
            for one in waiting { judge(node, one, received, samples[node] ?? []) }
        }
    }

    /// The stretches, longer than the bound, in which a device was connected and a message did not come.
    private func collect(_ ok: (place: Place, at: Spot), on history: Int, _ waiting: inout [String: [Waiting]]) {
        let accepted = time(ok.at)
        let timeline = timelines[history]
        let arrived = applied[history][ok.place].map { histories[history].records[$0].at } ?? timeline.end
        guard arrived - accepted > bounds.readiness else { return }
        for connection in timeline.connections {
            guard let live = connection.live, let node = connection.node, let welcomed = connection.welcomed else {
                continue
            }
            let (from, to) = (max(accepted, live), min(arrived, timeline.end(of: connection)))
            for part in timeline.reading(from: from, to: to) where part.to - part.from > bounds.readiness {
                waiting[node, default: []].append(
                    Waiting(
                        from: part.from, to: part.to, ok: ok.at,
                        connected: Spot(history: history, index: welcomed.index)))
            }
        }
    }

    private func historiesConnected(to node: String) -> [Int] {
        histories.indices.filter { timelines[$0].connections.contains { $0.node == node && $0.live != nil } }
    }

    /// When any device got anything from a node, in order.
    private func receptions(at node: String, on histories: [Int]) -> [Int64] {
        var moments: [Int64] = []
        for history in histories {
            var current: String?
            for record in self.histories[history].records {
                switch record.event {
                case .connection(let connection):
                    switch connection.change {
                    case .welcomed(let node): current = node
                    case .ended: current = nil
                    case .opened, .live: break
                    }
                case .applied, .receipt, .ok, .failed, .presence:
                    if current == node { moments.append(record.at) }
                default: break
                }
            }
        }
        return moments.sorted()
    }

    private func readinessSamples() -> [String: [(at: Int64, isReady: Bool, spot: Spot)]] {
        var samples: [String: [(at: Int64, isReady: Bool, spot: Spot)]] = [:]
        for (index, record) in (cluster?.records ?? []).enumerated() {
            guard case .node(let sample) = record.event else { continue }
            samples[sample.node, default: []].append(
                (record.at, sample.readiness == .ready, Spot(history: Spot.cluster, index: index)))
        }
        return samples
    }

    /// Between two receptions of whatever device, longer than the bound, the node showed itself ready all the time.
    private mutating func judge(
        _ node: String, _ waiting: Waiting, _ received: [Int64],
        _ samples: [(at: Int64, isReady: Bool, spot: Spot)]
    ) {
        // What is between the clients and the node is nothing that the node can know.
        let isCutOff = faults.any(from: waiting.from, to: waiting.to).contains { $0.target == "clients" }
        guard !isCutOff else { return }
        var from = waiting.from
        for moment in received.filter({ $0 > waiting.from && $0 < waiting.to }) + [waiting.to] {
            defer { from = moment }
            guard moment - from > bounds.readiness else { continue }
            let seen = samples.filter { $0.at >= from && $0.at <= moment }
            guard seen.count >= bounds.readinessSamples, let first = seen.first, let last = seen.last,
                seen.allSatisfy(\.isReady)
            else { continue }
            broken(
                .readyButDeaf,
                "\(node) called itself ready for \((last.at - first.at) / 1_000_000) ms in which its devices got "
                    + "nothing of what there was", waiting.ok, waiting.connected, first.spot, last.spot)
        }
    }
}
