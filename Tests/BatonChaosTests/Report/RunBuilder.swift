@testable import BatonChaos
@testable import BatonHistory

/// Plants whole runs, in seconds: what devices did, and what the harness did to the cluster.
struct RunBuilder {
    private var devices: [(name: String, user: String, records: [HistoryRecord])] = []
    private var cluster: [ClusterRecord] = []
    private var sequence: UInt64 = 0
    private var faults = 0

    static func at(_ second: Double) -> Int64 { Int64(second * 1e9) }

    /// Devices of `ann` (a1, ...) and `bob` (b1, ...), connected from the beginning.
    init(_ names: String...) {
        for name in names {
            let user = name.hasPrefix("a") ? "ann" : "bob"
            devices.append((name, user, [HistoryRecord(at: 0, .device(user: user, device: name))]))
        }
    }

    mutating func add(_ second: Double, _ event: HistoryRecord.Event, to device: String) {
        guard let index = devices.firstIndex(where: { $0.name == device }) else { return }
        devices[index].records.append(HistoryRecord(at: Self.at(second), event))
    }

    mutating func add(_ second: Double, _ event: ClusterRecord.Event) {
        cluster.append(ClusterRecord(at: Self.at(second), event))
    }

    /// A message of `a1` to bob, applied by the devices at their times.
    mutating func message(_ sent: Double, accepted: Double?, applied: [String: Double]) {
        sequence += 1
        let ref = "r\(sequence)"
        add(sent, .invoked(ref: ref, conversation: "ann-bob", recipients: ["bob"], body: sequence), to: "a1")
        if let accepted { add(accepted, .ok(ref: ref, conversation: "ann-bob", sequence: sequence), to: "a1") }
        for (device, second) in applied {
            add(
                second,
                .applied(
                    .init(
                        inbox: sequence, conversation: "ann-bob", sequence: sequence, device: "a1", ref: ref,
                        body: sequence)), to: device)
        }
    }

    mutating func fault(
        _ began: Double, healed: Double?, kind: String = "node", target: String = "n1", what: String = "SIGKILL"
    ) {
        faults += 1
        add(began, .fault(number: faults, kind: kind, target: target, what: what))
        if let healed { add(healed, .healed(number: faults)) }
    }

    mutating func run(wanted: Int = 1, command: String = "baton chaos --seed 7") {
        add(0, .run(.init(seed: 7, command: command, wanted: wanted, began: 1_795_262_400)))
    }

    var histories: RunHistories {
        get throws(HistoryError) {
            var histories: [DeviceHistory] = []
            for (name, _, records) in devices {
                histories.append(
                    try DeviceHistory(name: "\(name).jsonl", records: records.sorted { $0.at < $1.at }))
            }
            return RunHistories(devices: histories, cluster: ClusterHistory(records: cluster))
        }
    }

    /// The report, of a verdict that finds nothing wrong unless another is given.
    func report(_ verdict: HistoryVerdict? = nil) throws -> ChaosReport {
        let histories = try histories
        var sound = HistoryVerdict()
        sound.devices = histories.devices.count
        sound.wanted = histories.cluster?.run?.wanted
        sound.accepted = histories.devices.reduce(0) { count, history in
            count + history.records.count { if case .ok = $0.event { true } else { false } }
        }
        return ChaosReport(histories, verdict ?? sound)
    }
}
