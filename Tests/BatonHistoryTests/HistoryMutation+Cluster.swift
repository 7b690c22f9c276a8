import BatonCore
import BatonHistory

/// What goes wrong with the cluster, by the harness' own history.
extension HistoryMutation {
    private static let second: Int64 = 1_000_000_000
    /// For how long nobody gets anything: beyond the bound of readiness.
    private static let deafSeconds: Int64 = 40

    var isOfCluster: Bool { [.sessionLeft, .crash, .deafAndReady].contains(self) }

    /// - Returns: nil where the run has no place for it, and for mutations of a device's history.
    func appliedToCluster(_ run: RunHistories, using generator: inout SeededGenerator) -> RunHistories? {
        guard let cluster = run.cluster else { return nil }
        switch self {
        case .crash:
            return run.with(cluster.records + [ClusterRecord(at: 1, .misbehaved(what: "n1 ended by itself"))])
        case .sessionLeft:
            guard let settled = cluster.start(of: .settled) else { return nil }
            return run.with(
                cluster.records.map { record in
                    guard case .redis(var sample) = record.event, record.at >= settled else { return record }
                    sample.sessions = (sample.sessions ?? 0) + 1
                    return ClusterRecord(at: record.at, .redis(sample))
                })
        case .deafAndReady: return deafened(run, cluster, using: &generator)
        default: return nil
        }
    }

    /// Redis is gone just before a message arrives, everything stands still, and all nodes call themselves ready.
    private func deafened(
        _ run: RunHistories, _ cluster: ClusterHistory, using generator: inout SeededGenerator
    ) -> RunHistories? {
        let moments = run.devices.flatMap { history in
            history.records.compactMap { record -> Int64? in
                guard case .applied(let message) = record.event, message.device != history.device else { return nil }
                return record.at
            }
        }
        guard let moment = moments.randomElement(using: &generator) else { return nil }
        let pause = Self.deafSeconds * Self.second
        func late(_ at: Int64) -> Int64 { at < moment ? at : at + pause }
        var run = run
        for index in run.devices.indices {
            let records = run.devices[index].records.map { HistoryRecord(at: late($0.at), $0.event) }
            guard let history = try? DeviceHistory(name: run.devices[index].name, records: records) else { return nil }
            run.devices[index] = history
        }
        var records = cluster.records.map { ClusterRecord(at: late($0.at), $0.event) }
        records.append(
            ClusterRecord(at: moment - 1, .fault(number: 1, kind: "black-hole", target: "redis", what: "no bytes")))
        for second in 0..<Self.deafSeconds {
            for node in ["n1", "n2"] {
                records.append(
                    ClusterRecord(at: moment + second * Self.second, .node(.init(node: node, readiness: .ready))))
            }
        }
        records.append(ClusterRecord(at: moment + pause - 1, .healed(number: 1)))
        return run.with(records.sorted { $0.at < $1.at })
    }
}

extension RunHistories {
    fileprivate func with(_ cluster: [ClusterRecord]) -> RunHistories {
        RunHistories(devices: devices, cluster: ClusterHistory(records: cluster))
    }
}
