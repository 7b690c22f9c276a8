import BatonCore
import BatonHistory

/// What goes wrong with a message in the histories of all whom it concerns: each breaks one invariant and no other.
extension HistoryMutation {
    private typealias Place = (history: Int, index: Int)

    var isOfMessages: Bool { [.messageLeftOut, .placeHeldTwice, .sentAgain, .acceptedTooEarly].contains(self) }

    /// - Returns: nil where the run has no place for it, and for mutations of another kind.
    func appliedToMessages(_ run: RunHistories, using generator: inout SeededGenerator) -> RunHistories? {
        var records = run.devices.map(\.records)
        let isDone =
            switch self {
            case .messageLeftOut: leaveOut(run, &records, using: &generator)
            case .placeHeldTwice: holdTwice(run, &records, using: &generator)
            case .sentAgain: sendAgain(run, &records, using: &generator)
            case .acceptedTooEarly: acceptEarly(&records, using: &generator)
            default: false
            }
        guard isDone else { return nil }
        var run = run
        for index in run.devices.indices {
            guard let history = try? DeviceHistory(name: run.devices[index].name, records: records[index]) else {
                return nil
            }
            run.devices[index] = history
        }
        return run
    }

    private func applications(_ records: [[HistoryRecord]]) -> [(place: Place, message: HistoryRecord.Applied)] {
        records.enumerated().flatMap { history, records in
            records.enumerated().compactMap { index, record in
                if case .applied(let message) = record.event { ((history, index), message) } else { nil }
            }
        }
    }

    /// A device never gets a message that another one of its user has, and its inbox closes up behind it.
    private func leaveOut(
        _ run: RunHistories, _ records: inout [[HistoryRecord]], using generator: inout SeededGenerator
    ) -> Bool {
        let all = applications(records)
        let candidate = all.shuffled(using: &generator).first { one in
            let device = run.devices[one.place.history]
            return one.message.device != device.device
                && all.contains { other in
                    other.place.history != one.place.history && other.message.ref == one.message.ref
                        && run.devices[other.place.history].user == device.user
                        && time(of: other.place, records) < time(of: one.place, records)
                }
        }
        guard let (place, message) = candidate else { return false }
        records[place.history].remove(at: place.index)
        records[place.history].removeAll { $0.event == .acked(inbox: message.inbox) }
        records[place.history] = records[place.history].map { $0.movingInbox(behind: message.inbox, by: -1) }
        return true
    }

    /// Of two messages whose fate their sender never learned both are at one place: each to another device.
    private func holdTwice(
        _ run: RunHistories, _ records: inout [[HistoryRecord]], using generator: inout SeededGenerator
    ) -> Bool {
        let all = applications(records)
        let candidate = all.shuffled(using: &generator).first { one in
            all.contains { $0.message.ref == one.message.ref && $0.place.history != one.place.history }
        }
        guard let (place, message) = candidate,
            let sender = run.devices.firstIndex(where: { $0.device == message.device }),
            let answer = records[sender].firstIndex(where: { $0.answers(message.ref) }),
            case .invoked(_, let conversation, let recipients, let body)? = records[sender].first(where: {
                $0.invokes(message.ref)
            })?.event
        else { return false }
        let (other, number, at) = ("other", body + 1_000_000, records[sender][answer].at)
        records[sender].replaceSubrange(
            answer...answer,
            with: [
                HistoryRecord(at: at, .unknown(ref: message.ref)),
                HistoryRecord(
                    at: at, .invoked(ref: other, conversation: conversation, recipients: recipients, body: number)),
                HistoryRecord(at: at, .unknown(ref: other)),
            ])
        records[place.history][place.index] = HistoryRecord(
            at: time(of: place, records), .applied(message.with(ref: other, body: number)))
        return true
    }

    /// The last message of a conversation is stored once more behind itself, and delivered to everybody.
    private func sendAgain(
        _ run: RunHistories, _ records: inout [[HistoryRecord]], using generator: inout SeededGenerator
    ) -> Bool {
        let all = applications(records).map(\.message)
        guard let conversation = Set(all.map(\.conversation)).sorted().randomElement(using: &generator),
            let last = all.filter({ $0.conversation == conversation }).max(by: { $0.sequence < $1.sequence }),
            let sender = run.devices.first(where: { $0.device == last.device })?.user,
            let settled = run.cluster?.start(of: .settled)
        else { return false }
        let place = last.sequence + 1
        for (index, device) in run.devices.enumerated() {
            records[index] = records[index].map { record in
                guard record.at >= settled, case .unread(conversation, let count, let read, _) = record.event else {
                    return record
                }
                let more: UInt64 = device.user == sender ? 0 : 1
                return HistoryRecord(
                    at: record.at, .unread(conversation: conversation, count: count + more, read: read, last: place))
            }
            guard device.device != last.device,
                records[index].contains(where: { $0.applies(last.ref) }), let end = records[index].last,
                let inbox = records[index].last(where: { $0.inbox != nil })?.inbox
            else { continue }
            records[index].insert(
                HistoryRecord(at: end.at, .applied(last.with(inbox: inbox + 1, sequence: place))),
                at: records[index].count - 1)
        }
        return true
    }

    /// A message was accepted before the one in front of it was sent, and arrived with it.
    private func acceptEarly(_ records: inout [[HistoryRecord]], using generator: inout SeededGenerator) -> Bool {
        var sends: [(history: Int, ref: String, conversation: String, at: Int64, sequence: UInt64)] = []
        for (history, all) in records.enumerated() {
            for record in all {
                guard case .invoked(let ref, let conversation, _, _) = record.event,
                    case .ok(_, _, let sequence)? = all.first(where: { $0.answers(ref) })?.event
                else { continue }
                sends.append((history, ref, conversation, record.at, sequence))
            }
        }
        let pairs = sends.flatMap { first in
            sends.filter { second in
                second.conversation == first.conversation && second.sequence == first.sequence + 1
                    && second.at - first.at < 10_000_000_000
            }.map { (first: first, second: $0) }
        }
        guard let (first, second) = pairs.randomElement(using: &generator) else { return false }
        let moved = records[second.history].filter { $0.concerns(second.ref) }
        records[second.history].removeAll { $0.concerns(second.ref) }
        let place = records[second.history].firstIndex { $0.at >= first.at } ?? records[second.history].count
        let early = moved.enumerated().map { index, record in
            HistoryRecord(at: first.at - Int64(moved.count - index), record.event)
        }
        records[second.history].insert(contentsOf: early, at: place)
        return true
    }

    private func time(of place: Place, _ records: [[HistoryRecord]]) -> Int64 {
        records[place.history][place.index].at
    }
}

extension HistoryRecord {
    /// Its place in the inbox, where it has one.
    var inbox: UInt64? {
        switch event {
        case .applied(let message): message.inbox
        case .receipt(let receipt): receipt.inbox
        default: nil
        }
    }

    fileprivate func invokes(_ ref: String) -> Bool {
        if case .invoked(ref, _, _, _) = event { true } else { false }
    }

    fileprivate func answers(_ ref: String) -> Bool { if case .ok(ref, _, _) = event { true } else { false } }

    fileprivate func applies(_ ref: String) -> Bool {
        if case .applied(let message) = event { message.ref == ref } else { false }
    }

    /// Of those that tell of a device's own send.
    fileprivate func concerns(_ ref: String) -> Bool {
        if case .sent(ref, _) = event { true } else { invokes(ref) || answers(ref) }
    }

    /// With its place in the inbox moved, where that is behind another.
    func movingInbox(behind place: UInt64, by distance: Int64) -> HistoryRecord {
        func moved(_ inbox: UInt64) -> UInt64 {
            inbox > place ? UInt64(bitPattern: Int64(bitPattern: inbox) + distance) : inbox
        }
        return switch event {
        case .applied(let message): HistoryRecord(at: at, .applied(message.with(inbox: moved(message.inbox))))
        case .receipt(let receipt): HistoryRecord(at: at, .receipt(receipt.with(inbox: moved(receipt.inbox))))
        case .acked(let inbox): HistoryRecord(at: at, .acked(inbox: moved(inbox)))
        default: self
        }
    }
}
