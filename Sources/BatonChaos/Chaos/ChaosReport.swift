package import BatonHistory

/// The end of a run: the verdict, and the numbers behind it. All of it comes from the histories, so that it can be
/// told again later.
package struct ChaosReport: Sendable {
    /// What was asked of the run; nil where there is no history of the harness' own.
    package let run: ClusterRecord.Run?
    package let verdict: HistoryVerdict
    package let faults: [FaultSpan]
    /// What the cluster's processes did that they must not.
    package let misbehaviour: [String]
    package let reconnects: Int
    package let recovery: RecoveryTimes
    let histories: RunHistories
    let flow: MessageFlow
    /// Milliseconds from sending a message until a device applies it.
    let latency: Percentiles?
    let sent: Int
    let users: Int
    let nodes: Int
    /// Of load; nil where the histories do not say.
    let seconds: Double?

    package init(_ histories: RunHistories, _ verdict: HistoryVerdict) {
        self.histories = histories
        self.verdict = verdict
        let cluster = histories.cluster
        run = cluster?.run
        faults = cluster?.faults ?? []
        misbehaviour = cluster?.misbehaviour ?? []
        flow = MessageFlow(histories.devices)
        recovery = RecoveryTimes(flow, faults: faults)
        latency = Percentiles(flow.deliveries.map { Double($0.applied - $0.sent) / 1e6 })
        sent = flow.messages.count
        reconnects = histories.devices.reduce(0) { count, history in
            count + max(0, history.connectionChanges.count(where: \.isOnline) - 1)
        }
        users = Set(histories.devices.map(\.user)).count
        nodes =
            Set(
                (cluster?.records ?? []).compactMap { record in
                    if case .node(let sample) = record.event { sample.node } else { nil }
                }
            ).count
        if let from = cluster?.start(of: .load), let to = cluster?.start(of: .heal) {
            seconds = Double(Moment.bounded(to) - Moment.bounded(from)) / 1e9
        } else {
            seconds = nil
        }
    }

    package var outcome: RunOutcome {
        if !verdict.isSound || !misbehaviour.isEmpty { return .fail }
        return weakness == nil ? .pass : .inconclusive
    }

    /// Why a run without a breach says nothing nevertheless.
    package var weakness: String? {
        if let weakness = verdict.weakness { return weakness }
        return run != nil && faults.isEmpty ? "no fault happened: make the run longer, or --kill-every shorter" : nil
    }

    /// The verdict in a sentence.
    package var sentence: String {
        switch outcome {
        case .pass:
            let faults = faults.count == 1 ? "one fault" : "\(Reading.count(faults.count)) faults"
            return "All \(Invariant.allCases.count) invariants held through \(faults): each of "
                + "\(Reading.count(verdict.accepted)) accepted messages reached every device that was entitled to "
                + "it, once and in order."
        case .fail:
            let names = Invariant.allCases.filter { verdict.count($0) > 0 }.map(\.rawValue)
            return ((names.isEmpty ? [] : ["Broken: \(names.joined(separator: ", "))."]) + misbehaviour.prefix(3))
                .joined(separator: " ")
        case .inconclusive: return "No invariant was broken, but the run says nothing: \(weakness ?? "no reason")."
        }
    }

    /// Nanoseconds; nil where nothing was mended.
    var slowestRecovery: Int64? { recovery.byNumber.values.max() }
}
