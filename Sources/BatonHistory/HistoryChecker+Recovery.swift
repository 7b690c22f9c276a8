/// 5. Once what was broken is mended, messages are accepted and applied within the bound.
///
/// The time of a message counts from where its device was connected and read, and nothing was broken any more.
extension HistoryChecker {
    mutating func lookAtRecovery() {
        for (name, message) in sent {
            lookAtAcceptance(of: name, message)
            guard let ok = message.ok else { continue }
            let accepted = time(ok.at)
            for history in entitled(to: name, message) {
                guard let index = applied[history][ok.place] else { continue }
                let spot = Spot(history: history, index: index)
                guard time(spot) - accepted > bounds.recovery else { continue }
                judge("\(histories[history].name) applied \(text(ok.place))", from: ok.at, to: spot, on: history)
            }
        }
    }

    private mutating func lookAtAcceptance(of name: Name, _ message: Sent) {
        let history = message.at.history
        guard let outcome = message.ok?.at ?? message.refused else {
            // The history does not say when the device gave up waiting: its end counts.
            let last = Spot(history: history, index: histories[history].records.count - 1)
            guard timelines[history].end - time(message.at) > bounds.recovery, !message.isUnknown else { return }
            return judge(
                "\(name.ref) of \(devices.name(name.device)) was not answered", from: message.at, to: last, on: history)
        }
        guard time(outcome) - time(message.at) > bounds.recovery else { return }
        judge(
            "\(name.ref) of \(devices.name(name.device)) was answered", from: message.at, to: outcome, on: history)
    }

    private mutating func judge(_ what: String, from start: Spot, to end: Spot, on history: Int) {
        let to = time(end)
        guard let connection = timelines[history].live(at: to), let live = connection.live else { return }
        var from = max(time(start), live)
        if let pause = timelines[history].pauseEnd(before: to) { from = max(from, pause) }
        var healed: Int?
        for fault in faults.any(from: from, to: to) {
            guard let mended = fault.end else { return }
            if mended > from { (from, healed) = (mended, fault.healed) }
        }
        guard from < to, to - from > bounds.recovery else { return }
        let evidence = [start] + (healed.map { [Spot(history: Spot.cluster, index: $0)] } ?? []) + [end]
        broken(.recoverySlow, "\(what) \((to - from) / 1_000_000) ms after it could have been", evidence)
    }
}
