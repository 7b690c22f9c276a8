/// Judges the histories of all devices of a run, and the harness' own. It reads nothing else.
///
/// 1. Collects what was sent, what became of it, and what is at each place of each conversation.
/// 2. Goes through each device's history in its order: duplicates, order, holes, receipts.
/// 3. Looks for what should be there in the end and is not: messages, receipts.
/// 4. Compares with what was true at the time: receipts, unread counts, typing, presence, connections.
/// 5. With the harness' own history: recovery, readiness, what the cluster uses. Bounds of time count from where
///    nothing was broken any more, so without that history nothing is said of them.
///
/// A device's own messages come to it as `ok`; as messages they come only where its user has several devices. So a
/// device may pass over its own ones, and nothing else.
package struct HistoryChecker {
    /// A message's place. Conversations, devices and users are numbered in the order in which they come up.
    struct Place: Hashable {
        let conversation: Int
        let sequence: UInt64
    }

    /// A message's name.
    struct Name: Hashable {
        let device: Int
        let ref: String
    }

    /// A user's, or a device's, part of a conversation.
    struct Seat: Hashable {
        let conversation: Int
        let owner: Int
    }

    /// A line, by the places of its history and of its record there.
    struct Spot: Hashable {
        /// In place of a device's history: the harness' own.
        static let cluster = -1

        let history: Int
        let index: Int
    }

    struct Sent {
        let conversation: Int
        let recipients: [Int]
        let body: UInt64
        let at: Spot
        var ok: (place: Place, at: Spot)?
        var refused: Spot?
        var isUnknown = false
        var isSettled: Bool { ok != nil || refused != nil }
    }

    /// What is at a place, and who said so first.
    struct Held {
        let name: Name
        let body: UInt64?
        let at: Spot
    }

    private struct Example {
        let what: String
        let evidence: [Spot]
    }

    let histories: [DeviceHistory]
    let cluster: ClusterHistory?
    let bounds: HistoryBounds
    let faults: FaultTimeline
    var verdict = HistoryVerdict()
    private var examples: [Invariant: Example] = [:]
    var conversations = NameTable()
    var devices = NameTable()
    var users = NameTable()
    var sent: [Name: Sent] = [:]
    var held: [Place: Held] = [:]
    var places: [Name: (place: Place, at: Spot)] = [:]
    var last: [Int: UInt64] = [:]
    /// For each user the histories of their devices, for each history its device, for each device its user.
    var historiesOf: [Int: [Int]] = [:]
    var deviceOf: [Int] = []
    var userOf: [Int: Int] = [:]
    /// For each history what it applied, and in which record.
    var applied: [[Place: Int]]
    /// For each history, conversation and user the last receipt.
    var receipts: [[Int: [Int: Spot]]]
    /// For each device and conversation the sends of which no outcome is known.
    var unsettledSends: [Int: [Int: UInt64]] = [:]
    /// For each history its connections and pauses.
    let timelines: [DeviceTimeline]

    /// - Parameters:
    ///   - cluster: the harness' own history; without it nothing is said of what needs it.
    ///   - bounds: how long things may take.
    package static func check(
        _ histories: [DeviceHistory], cluster: ClusterHistory? = nil, bounds: HistoryBounds = HistoryBounds()
    ) -> HistoryVerdict {
        var checker = HistoryChecker(histories, cluster, bounds)
        checker.collectSends()
        checker.collectPlaces()
        for index in histories.indices { checker.follow(index) }
        checker.lookForLost()
        checker.lookForRefused()
        checker.lookAtPrecedence()
        checker.lookForReceipts()
        checker.lookAtTruth()
        checker.lookAtTyping()
        if cluster != nil {
            checker.lookAtConnections()
            checker.lookAtPresence()
            checker.lookAtRecovery()
            checker.lookAtReadiness()
            checker.lookAtResources()
            checker.lookForMisbehaviour()
        }
        return checker.finished()
    }

    private init(_ histories: [DeviceHistory], _ cluster: ClusterHistory?, _ bounds: HistoryBounds) {
        self.histories = histories
        self.cluster = cluster
        self.bounds = bounds
        faults = FaultTimeline(cluster)
        applied = Array(repeating: [:], count: histories.count)
        receipts = Array(repeating: [:], count: histories.count)
        timelines = histories.map { DeviceTimeline($0.records) }
        for (index, history) in histories.enumerated() {
            let (user, device) = (users.number(history.user), devices.number(history.device))
            historiesOf[user, default: []].append(index)
            deviceOf.append(device)
            userOf[device] = user
        }
        verdict.devices = histories.count
    }

    // MARK: Breaches

    mutating func broken(_ invariant: Invariant, _ what: String, _ evidence: Spot...) {
        broken(invariant, what, evidence)
    }

    /// Of the proofs the shortest is shown; of equals the earliest, so that the same histories show the same.
    mutating func broken(_ invariant: Invariant, _ what: String, _ evidence: [Spot]) {
        verdict.counts[invariant, default: 0] += 1
        if let known = examples[invariant] {
            guard (evidence.count, rank(evidence)) < (known.evidence.count, rank(known.evidence)) else { return }
        }
        examples[invariant] = Example(what: what, evidence: evidence)
    }

    private func rank(_ evidence: [Spot]) -> Int64 { evidence.first.map(time) ?? 0 }

    func time(_ spot: Spot) -> Int64 {
        spot.history == Spot.cluster
            ? cluster?.records[spot.index].at ?? 0 : histories[spot.history].records[spot.index].at
    }

    private func line(_ spot: Spot) -> HistoryLine {
        if spot.history == Spot.cluster {
            return HistoryLine(
                name: cluster?.name ?? "", line: spot.index + 1, at: time(spot),
                text: cluster.map { HistoryFile.line($0.records[spot.index]) } ?? "")
        }
        let history = histories[spot.history]
        return HistoryLine(
            name: history.name, line: spot.index + 1, at: time(spot),
            text: HistoryFile.line(history.records[spot.index])
        )
    }

    private func finished() -> HistoryVerdict {
        var verdict = verdict
        for (invariant, example) in examples {
            verdict.examples[invariant] = Violation(
                invariant: invariant, what: example.what, evidence: example.evidence.map(line))
        }
        for case .run(let run) in cluster?.records.map(\.event) ?? [] { verdict.wanted = run.wanted }
        return verdict
    }

    /// A place as people write it.
    func text(_ place: Place) -> String { "\(conversations.name(place.conversation)).\(place.sequence)" }
}

/// Names, numbered in the order in which they come up: numbers are cheaper to compare, and to look up by.
struct NameTable {
    private var numbers: [String: Int] = [:]
    private var names: [String] = []

    mutating func number(_ name: String) -> Int {
        if let known = numbers[name] { return known }
        numbers[name] = names.count
        names.append(name)
        return names.count - 1
    }

    func name(_ number: Int) -> String { names[number] }
}
