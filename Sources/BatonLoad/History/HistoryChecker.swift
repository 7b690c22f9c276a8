/// Judges the histories of all devices of a run. It reads nothing else.
///
/// 1. Collects what was sent, what was accepted, and what is at each place of each conversation.
/// 2. Goes through each device's history in its order: duplicates, order, holes, receipts.
/// 3. Looks for what should be there in the end and is not: messages, receipts.
///
/// A device's own messages come to it as `ok`; as messages they come only where its user has several devices. So a
/// device may pass over its own ones, and nothing else.
package struct HistoryChecker {
    /// A message's place.
    struct Place: Hashable {
        let conversation: String
        let sequence: UInt64
    }

    /// A message's name.
    struct Name: Hashable {
        let device: String
        let ref: String
    }

    struct Sent {
        let conversation: String
        let recipients: [String]
        let body: UInt64
        let at: HistoryLine
        var ok: (place: Place, at: HistoryLine)?
        var isSettled = false
    }

    /// What is at a place, and who said so first.
    struct Held {
        let name: Name
        let body: UInt64?
        let at: HistoryLine
    }

    let histories: [DeviceHistory]
    var verdict = HistoryVerdict()
    var sent: [Name: Sent] = [:]
    var held: [Place: Held] = [:]
    var places: [Name: (place: Place, at: HistoryLine)] = [:]
    var last: [String: UInt64] = [:]
    /// Indices of histories.
    var devicesOf: [String: [Int]] = [:]
    var userOf: [String: String] = [:]
    /// For each history what it applied.
    var applied: [Set<Place>]
    /// For each history, conversation and user the last receipt.
    var receipts: [[String: [String: HistoryLine]]]
    /// For each device and conversation the sends of which no outcome is known.
    var unsettledSends: [String: [String: Int]] = [:]

    /// - Parameters:
    ///   - cluster: the harness' own history; without it nothing is said of what needs it.
    ///   - bounds: how long things may take.
    package static func check(
        _ histories: [DeviceHistory], cluster: ClusterHistory? = nil, bounds: HistoryBounds = HistoryBounds()
    ) -> HistoryVerdict {
        var checker = HistoryChecker(histories)
        checker.collectSends()
        checker.collectPlaces()
        for index in histories.indices { checker.follow(index) }
        checker.lookForLost()
        checker.lookForReceipts()
        return checker.verdict
    }

    private init(_ histories: [DeviceHistory]) {
        self.histories = histories
        applied = Array(repeating: [], count: histories.count)
        receipts = Array(repeating: [:], count: histories.count)
        for (index, history) in histories.enumerated() {
            devicesOf[history.user, default: []].append(index)
            userOf[history.device] = history.user
        }
        verdict.devices = histories.count
    }

    func line(_ history: Int, _ index: Int) -> HistoryLine {
        HistoryLine(name: histories[history].name, line: index + 1, record: histories[history].records[index])
    }

    mutating func broken(_ invariant: Invariant, _ what: String, _ evidence: HistoryLine...) {
        broken(invariant, what, evidence)
    }

    mutating func broken(_ invariant: Invariant, _ what: String, _ evidence: [HistoryLine]) {
        verdict.counts[invariant, default: 0] += 1
        // The shortest proof is shown; of equals the first.
        if let known = verdict.examples[invariant], known.evidence.count <= evidence.count { return }
        verdict.examples[invariant] = Violation(invariant: invariant, what: what, evidence: evidence)
    }

    // MARK: 1. What was sent, and where it stands

    private mutating func collectSends() {
        for (number, history) in histories.enumerated() {
            for (index, record) in history.records.enumerated() {
                guard case .invoked(let ref, let conversation, let recipients, let body) = record.event else {
                    continue
                }
                let name = Name(device: history.device, ref: ref)
                if let first = sent[name] {
                    broken(
                        .refSplit, "\(history.device) used ref \(ref) for two messages", first.at, line(number, index))
                }
                sent[name] = Sent(
                    conversation: conversation, recipients: recipients, body: body, at: line(number, index))
            }
        }
    }

    private mutating func collectPlaces() {
        for (number, history) in histories.enumerated() {
            for (index, record) in history.records.enumerated() {
                switch record.event {
                case .ok(let ref, let conversation, let sequence):
                    let name = Name(device: history.device, ref: ref)
                    let place = Place(conversation: conversation, sequence: sequence)
                    accepted(name, at: place, line(number, index))
                case .failed(let ref, _):
                    sent[Name(device: history.device, ref: ref)]?.isSettled = true
                    verdict.failed += 1
                case .unknown: verdict.unknown += 1
                case .applied(let message):
                    let name = Name(device: message.device, ref: message.ref)
                    let place = Place(conversation: message.conversation, sequence: message.sequence)
                    applied[number].insert(place)
                    hold(place, Held(name: name, body: message.body, at: line(number, index)))
                default: break
                }
            }
        }
        verdict.accepted = sent.values.count { $0.ok != nil }
        for (name, message) in sent where !message.isSettled {
            unsettledSends[name.device, default: [:]][message.conversation, default: 0] += 1
        }
    }

    private mutating func accepted(_ name: Name, at place: Place, _ line: HistoryLine) {
        guard let message = sent[name] else {
            broken(.neverSent, "\(name.ref) was accepted as \(place) and never sent", line)
            return
        }
        if message.conversation != place.conversation {
            broken(
                .neverSent, "\(name.ref) was sent to \(message.conversation) and accepted as \(place)", message.at, line
            )
        }
        sent[name]?.isSettled = true
        if message.ok == nil { sent[name]?.ok = (place, line) }
        hold(place, Held(name: name, body: message.body, at: line))
    }

    /// A device says what is at a place: the same as all others say, and nowhere else.
    private mutating func hold(_ place: Place, _ claim: Held) {
        last[place.conversation] = max(last[place.conversation] ?? 0, place.sequence)
        if let first = held[place] {
            if first.name != claim.name || first.body != claim.body {
                broken(
                    .diverged, "\(place) is \(first.name.ref) to one device and \(claim.name.ref) to another", first.at,
                    claim.at)
            }
        } else {
            held[place] = claim
        }
        if let first = places[claim.name] {
            if first.place != place {
                broken(
                    .refSplit, "\(claim.name.ref) of \(claim.name.device) is both \(first.place) and \(place)",
                    first.at, claim.at)
            }
        } else {
            places[claim.name] = (place, claim.at)
        }
    }

    // MARK: 3. What is missing in the end

    private mutating func lookForLost() {
        for (name, message) in sent {
            guard let ok = message.ok else { continue }
            for user in message.recipients {
                for device in devicesOf[user] ?? [] { expect(ok, name, message, on: device) }
            }
            for device in userOf[name.device].flatMap({ devicesOf[$0] }) ?? []
            where histories[device].device != name.device {
                expect(ok, name, message, on: device)
            }
        }
    }

    private mutating func expect(
        _ ok: (place: Place, at: HistoryLine), _ name: Name, _ message: Sent, on device: Int
    ) {
        guard !applied[device].contains(ok.place) else { return }
        broken(
            .lost, "\(histories[device].name) never applied \(ok.place), which \(name.device) sent as \(name.ref)",
            message.at, ok.at)
    }
}

extension HistoryChecker.Place: CustomStringConvertible {
    var description: String { "\(conversation).\(sequence)" }
}
