import BatonCore
import BatonHistory

/// One thing that goes wrong in a sound run, at a random place: what a broken relay would leave behind.
enum HistoryMutation: String, CaseIterable, Sendable {
    case messageNotApplied, messageAppliedTwice, messagesSwapped, entrySkipped, otherBody, otherPlace, sendForgotten
    case acceptedAfterAll, placesSwapped, receiptLower, receiptTooEarly, readTooEarly, receiptsMissing, countWrong
    case presenceFlipped, connectionKept, appliedLate, resync, sessionLeft, crash, deafAndReady
    case messageLeftOut, placeHeldTwice, sentAgain, acceptedTooEarly, typingElsewhere

    /// The invariant that is broken by it. Others may be as well.
    var invariant: Invariant {
        switch self {
        case .messageNotApplied, .messageLeftOut: .lost
        case .messageAppliedTwice: .duplicated
        case .messagesSwapped: .reordered
        case .entrySkipped: .hole
        case .otherBody, .placeHeldTwice: .diverged
        case .otherPlace, .sentAgain: .refSplit
        case .sendForgotten: .neverSent
        case .acceptedAfterAll: .refusedApplied
        case .placesSwapped, .acceptedTooEarly: .orderInverted
        case .receiptLower: .receiptWentBack
        case .receiptTooEarly, .readTooEarly: .receiptUntruthful
        case .receiptsMissing: .receiptIncomplete
        case .countWrong: .unreadWrong
        case .presenceFlipped: .presenceWrong
        case .connectionKept: .twoConnections
        case .typingElsewhere: .typingLeaked
        case .appliedLate: .recoverySlow
        case .resync: .resynced
        case .sessionLeft: .notBackToBaseline
        case .crash: .misbehaved
        case .deafAndReady: .readyButDeaf
        }
    }

    /// - Returns: nil where the run has no place for it.
    func applied(to run: RunHistories, using generator: inout SeededGenerator) -> RunHistories? {
        if let broken = appliedToCluster(run, using: &generator) { return broken }
        if let broken = appliedToMessages(run, using: &generator) { return broken }
        guard !isOfCluster, !isOfMessages else { return nil }
        var order = Array(run.devices.indices)
        order.shuffle(using: &generator)
        for device in order {
            var records = run.devices[device].records
            let places = places(in: records, run)
            guard let place = places.randomElement(using: &generator), change(&records, at: place) else { continue }
            var run = run
            guard let history = try? DeviceHistory(name: run.devices[device].name, records: records) else { return nil }
            run.devices[device] = history
            return self == .placesSwapped ? swapped(run) : run
        }
        return nil
    }

    // MARK: Where

    private func places(in records: [HistoryRecord], _ run: RunHistories) -> [Int] {
        guard case .device(let user, let own, _) = records.first?.event else { return [] }
        return records.indices.filter { index in
            switch (self, records[index].event) {
            case (.messageAppliedTwice, .applied), (.otherBody, .applied), (.otherPlace, .applied),
                (.countWrong, .unread), (.typingElsewhere, .typing), (.sendForgotten, .invoked),
                (.acceptedAfterAll, .ok):
                return true
            // A device need not apply what it sent itself.
            case (.messageNotApplied, .applied(let message)): return message.device != own
            case (.entrySkipped, .applied): return records[..<index].contains { $0.inbox != nil }
            case (.messagesSwapped, .applied(let message)):
                return next(after: index, in: records, of: message.conversation) != nil
            case (.placesSwapped, .device): return true
            case (.receiptLower, .receipt(let receipt)):
                return receipt.delivered > 0 && isFollowing(index, records, receipt)
            case (.receiptTooEarly, .receipt(let receipt)): return receipt.delivered > receipt.read
            case (.readTooEarly, .receipt(let receipt)):
                return receipt.read < receipt.delivered && !isRead(receipt, at: records[index].at, run)
            // Nobody waits for what tells of the user's own reads.
            case (.receiptsMissing, .receipt(let receipt)):
                return receipt.user != user && index == records.lastIndex { $0.isReceipt(notOf: user) }
            case (.presenceFlipped, .presence): return isStable(index, records)
            case (.connectionKept, .connection(let connection)): return isFollowedByLong(index, connection, records)
            case (.appliedLate, .applied(let message)): return message.device != own && isLast(index, records)
            case (.resync, .acked): return true
            default: return false
            }
        }
    }

    private func next(after index: Int, in records: [HistoryRecord], of conversation: String) -> Int? {
        records.indices.first { later in
            guard later > index, case .applied(let message) = records[later].event else { return false }
            return message.conversation == conversation
        }
    }

    private func isFollowing(_ index: Int, _ records: [HistoryRecord], _ receipt: HistoryRecord.Receipt) -> Bool {
        records[..<index].contains { record in
            guard case .receipt(let earlier) = record.event else { return false }
            return earlier.conversation == receipt.conversation && earlier.user == receipt.user
                && earlier.delivered == receipt.delivered
        }
    }

    /// Nothing about that user is told for long, and the connection goes on.
    private func isStable(_ index: Int, _ records: [HistoryRecord]) -> Bool {
        let end = records.dropFirst(index + 1).first { record in
            switch record.event {
            case .presence, .watching, .connection: true
            default: false
            }
        }
        return (end?.at ?? 0) - records[index].at > 110_000_000_000
    }

    private func isFollowedByLong(
        _ index: Int, _ connection: HistoryRecord.Connection, _ records: [HistoryRecord]
    ) -> Bool {
        guard case .ended = connection.change else { return false }
        let later = records.dropFirst(index + 1)
        let welcomed = later.first { record in
            guard case .connection(let next) = record.event, case .welcomed = next.change else { return false }
            return true
        }
        let ended = later.first { record in
            guard case .connection(let next) = record.event, case .ended = next.change else { return false }
            return true
        }
        guard let welcomed, let ended else { return false }
        return ended.at - welcomed.at > 11_000_000_000
    }

    private func isRead(_ receipt: HistoryRecord.Receipt, at moment: Int64, _ run: RunHistories) -> Bool {
        run.devices.contains { history in
            history.user == receipt.user
                && history.records.contains { record in
                    guard case .read(receipt.conversation, let sequence) = record.event else { return false }
                    return record.at <= moment && sequence >= receipt.delivered
                }
        }
    }

    /// No further message is applied.
    private func isLast(_ index: Int, _ records: [HistoryRecord]) -> Bool {
        !records.dropFirst(index + 1).contains { if case .applied = $0.event { true } else { false } }
    }

    // MARK: What

    private func change(_ records: inout [HistoryRecord], at place: Int) -> Bool {
        let record = records[place]
        func put(_ event: HistoryRecord.Event) { records[place] = HistoryRecord(at: record.at, event) }
        switch (self, record.event) {
        case (.messageNotApplied, _), (.sendForgotten, _), (.receiptsMissing, _), (.connectionKept, _):
            records.remove(at: place)
        case (.messageAppliedTwice, _): records.insert(record, at: place + 1)
        case (.messagesSwapped, .applied(let message)):
            guard let later = next(after: place, in: records, of: message.conversation) else { return false }
            // The inbox has them in this order.
            guard case .applied(let other) = records[later].event else { return false }
            put(.applied(other.with(inbox: message.inbox)))
            records[later] = HistoryRecord(at: records[later].at, .applied(message.with(inbox: other.inbox)))
        case (.entrySkipped, .applied(let message)):
            for later in place..<records.count {
                records[later] = records[later].movingInbox(behind: message.inbox - 1, by: 1)
            }
        case (.otherBody, .applied(let message)): put(.applied(message.with(body: (message.body ?? 0) + 1_000_000)))
        case (.otherPlace, .applied(let message)):
            put(.applied(message.with(sequence: message.sequence + 1_000_000)))
        case (.acceptedAfterAll, .ok(let ref, _, _)): put(.failed(ref: ref, code: "blocked"))
        case (.receiptLower, .receipt(let receipt)): put(.receipt(receipt.with(delivered: receipt.delivered - 1)))
        case (.receiptTooEarly, .receipt(let receipt)):
            // Before anything was acknowledged.
            records[place] = HistoryRecord(at: 0, .receipt(receipt))
        case (.readTooEarly, .receipt(let receipt)): put(.receipt(receipt.with(read: receipt.delivered)))
        case (.countWrong, .unread(let conversation, let count, let read, let last)):
            put(.unread(conversation: conversation, count: count + 1, read: read, last: last))
        case (.typingElsewhere, .typing(_, let user, let isActive)):
            put(.typing(conversation: "u8-u9", user: user, isActive: isActive))
        case (.presenceFlipped, .presence(let user, let isOnline)): put(.presence(user: user, isOnline: !isOnline))
        case (.appliedLate, .applied(let message)):
            let late = record.at + 40_000_000_000
            records[place] = HistoryRecord(at: late, .applied(message))
            // The connection lasts until then.
            for later in place + 1..<records.count {
                records[later] = HistoryRecord(at: records[later].at + 40_000_000_000, records[later].event)
            }
        case (.resync, _): records.insert(HistoryRecord(at: record.at, .resync("truncated")), at: place)
        default: break
        }
        return true
    }

    /// Two messages of a conversation change their places everywhere.
    private func swapped(_ run: RunHistories) -> RunHistories? {
        var first: (conversation: String, sequence: UInt64)?
        for case .ok(_, let conversation, let sequence) in run.devices[0].records.map(\.event) where sequence > 1 {
            first = (conversation, sequence)
        }
        guard let first else { return nil }
        func moved(_ conversation: String, _ sequence: UInt64) -> UInt64 {
            guard conversation == first.conversation else { return sequence }
            return sequence == first.sequence ? sequence - 1 : sequence == first.sequence - 1 ? sequence + 1 : sequence
        }
        var run = run
        for index in run.devices.indices {
            let records = run.devices[index].records.map { record in
                switch record.event {
                case .ok(let ref, let id, let sequence):
                    HistoryRecord(at: record.at, .ok(ref: ref, conversation: id, sequence: moved(id, sequence)))
                case .applied(let message):
                    HistoryRecord(
                        at: record.at, .applied(message.with(sequence: moved(message.conversation, message.sequence))))
                default: record
                }
            }
            guard let history = try? DeviceHistory(name: run.devices[index].name, records: records) else { return nil }
            run.devices[index] = history
        }
        return run
    }
}

extension HistoryRecord {
    fileprivate func isReceipt(notOf user: String) -> Bool {
        if case .receipt(let receipt) = event { receipt.user != user } else { false }
    }
}

extension HistoryRecord.Applied {
    func with(
        inbox: UInt64? = nil, sequence: UInt64? = nil, ref: String? = nil, body: UInt64? = nil
    ) -> HistoryRecord.Applied {
        HistoryRecord.Applied(
            inbox: inbox ?? self.inbox, conversation: conversation, sequence: sequence ?? self.sequence, device: device,
            ref: ref ?? self.ref, body: body ?? self.body)
    }
}

extension HistoryRecord.Receipt {
    func with(
        inbox: UInt64? = nil, delivered: UInt64? = nil, read: UInt64? = nil
    ) -> HistoryRecord.Receipt {
        HistoryRecord.Receipt(
            inbox: inbox ?? self.inbox, conversation: conversation, user: user, delivered: delivered ?? self.delivered,
            read: read ?? self.read)
    }
}
