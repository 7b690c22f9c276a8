/// 4. What the relay said, against what was true at that time: receipts and unread counts.
extension HistoryChecker {
    /// How far something has come, and when. Only ever further.
    private struct Progression {
        private var steps: [(at: Int64, sequence: UInt64, spot: Spot)] = []

        mutating func add(_ sequence: UInt64, at moment: Int64, _ spot: Spot) { steps.append((moment, sequence, spot)) }

        /// In order of time, without what is behind something earlier. Once, before anything is asked.
        mutating func sort() {
            var sorted: [(at: Int64, sequence: UInt64, spot: Spot)] = []
            for step in steps.sorted(by: { $0.at < $1.at }) where step.sequence > sorted.last?.sequence ?? 0 {
                sorted.append(step)
            }
            steps = sorted
        }

        /// How far it had come.
        func reached(at moment: Int64) -> UInt64 {
            var (low, high) = (0, steps.count)
            while low < high {
                let middle = (low + high) / 2
                if steps[middle].at <= moment { low = middle + 1 } else { high = middle }
            }
            return low == 0 ? 0 : steps[low - 1].sequence
        }

        /// When it came so far.
        func first(reaching sequence: UInt64) -> Spot? { steps.first { $0.sequence >= sequence }?.spot }

        var furthest: (sequence: UInt64, spot: Spot)? { steps.last.map { ($0.sequence, $0.spot) } }
    }

    /// For each user's part of a conversation: what their devices have acknowledged, and what they have read.
    private struct Truth {
        var had: [Seat: Progression] = [:]
        var read: [Seat: Progression] = [:]
    }

    mutating func lookAtTruth() {
        let truth = collectTruth()
        let settled = cluster?.start(of: .settled)
        for (number, history) in histories.enumerated() {
            for (index, record) in history.records.enumerated() {
                let spot = Spot(history: number, index: index)
                switch record.event {
                case .receipt(let receipt): compare(receipt, with: truth, at: record.at, spot)
                case .unread(let conversation, let count, let read, let last):
                    let seat = Seat(
                        conversation: conversations.number(conversation), owner: users.number(history.user))
                    let answer = (count: count, read: read, last: last)
                    compare(answer, of: seat, with: truth, at: record.at, spot)
                    if let settled, record.at >= settled { compareQuiet(answer, of: seat, with: truth, spot) }
                default: break
                }
            }
        }
    }

    private mutating func collectTruth() -> Truth {
        var truth = Truth()
        for (number, history) in histories.enumerated() {
            let user = users.number(history.user)
            // Histories of devices that do not tell when they acknowledge: with the application.
            let isTelling = history.records.contains { if case .acked = $0.event { true } else { false } }
            var waiting: [(inbox: UInt64, conversation: Int, sequence: UInt64)] = []
            for (index, record) in history.records.enumerated() {
                let spot = Spot(history: number, index: index)
                switch record.event {
                case .applied(let message):
                    let sender = userOf[devices.number(message.device)]
                    guard sender != user else { continue }
                    let conversation = conversations.number(message.conversation)
                    guard !isTelling else {
                        waiting.append((message.inbox, conversation, message.sequence))
                        continue
                    }
                    let seat = Seat(conversation: conversation, owner: user)
                    truth.had[seat, default: Progression()].add(message.sequence, at: record.at, spot)
                case .acked(let inbox):
                    let end = waiting.firstIndex { $0.inbox > inbox } ?? waiting.count
                    for entry in waiting[..<end] {
                        let seat = Seat(conversation: entry.conversation, owner: user)
                        truth.had[seat, default: Progression()].add(entry.sequence, at: record.at, spot)
                    }
                    waiting.removeFirst(end)
                case .read(let conversation, let sequence):
                    let seat = Seat(conversation: conversations.number(conversation), owner: user)
                    truth.read[seat, default: Progression()].add(sequence, at: record.at, spot)
                default: break
                }
            }
        }
        for seat in Array(truth.had.keys) { truth.had[seat]?.sort() }
        for seat in Array(truth.read.keys) { truth.read[seat]?.sort() }
        return truth
    }

    /// A receipt says what a device of its user had told before. Who has no history cannot be judged.
    private mutating func compare(
        _ receipt: HistoryRecord.Receipt, with truth: Truth, at moment: Int64, _ spot: Spot
    ) {
        let seat = Seat(conversation: conversations.number(receipt.conversation), owner: users.number(receipt.user))
        guard historiesOf[seat.owner] != nil else { return }
        let read = truth.read[seat]?.reached(at: moment) ?? 0
        if receipt.read > read {
            broken(
                .receiptUntruthful,
                "\(histories[spot.history].name) was told that \(receipt.user) read "
                    + "\(receipt.conversation).\(receipt.read), who had read up to \(read)",
                [spot] + (truth.read[seat]?.first(reaching: receipt.read).map { [$0] } ?? []))
        }
        // Reading says that it is there, too.
        let had = max(truth.had[seat]?.reached(at: moment) ?? 0, read)
        if receipt.delivered > had {
            broken(
                .receiptUntruthful,
                "\(histories[spot.history].name) was told that \(receipt.user) has "
                    + "\(receipt.conversation).\(receipt.delivered), whose devices had acknowledged up to \(had)",
                [spot] + (truth.had[seat]?.first(reaching: receipt.delivered).map { [$0] } ?? []))
        }
    }

    /// The count is that of the others' messages between what is read and the last one, as the same answer says them.
    private mutating func compare(
        _ answer: (count: UInt64, read: UInt64, last: UInt64), of seat: Seat, with truth: Truth, at moment: Int64,
        _ spot: Spot
    ) {
        let read = truth.read[seat]?.reached(at: moment) ?? 0
        if answer.read > read {
            broken(
                .unreadWrong,
                "\(histories[spot.history].name) was told that its user had read up to \(answer.read), who had read up "
                    + "to \(read)", spot)
        }
        guard answer.read <= answer.last else {
            return broken(.unreadWrong, "\(histories[spot.history].name) was told of more read than there is", spot)
        }
        guard answer.last - answer.read <= Self.widestGap else { return }
        var others: UInt64 = 0
        for sequence in answer.read..<answer.last {
            // Of a message that no device saw the sender is not known.
            guard let known = held[Place(conversation: seat.conversation, sequence: sequence + 1)] else { return }
            if userOf[known.name.device] != seat.owner { others += 1 }
        }
        if others != answer.count {
            broken(
                .unreadWrong,
                "\(histories[spot.history].name) was told that \(answer.count) are unread between \(answer.read) and "
                    + "\(answer.last), where there are \(others)", spot)
        }
    }

    /// Nothing is under way: the answer is the latest.
    private mutating func compareQuiet(
        _ answer: (count: UInt64, read: UInt64, last: UInt64), of seat: Seat, with truth: Truth, _ spot: Spot
    ) {
        if let furthest = truth.read[seat]?.furthest, answer.read < furthest.sequence {
            broken(
                .unreadWrong,
                "\(histories[spot.history].name) was told that its user had read up to \(answer.read), who had read up "
                    + "to \(furthest.sequence)", furthest.spot, spot)
        }
        if answer.last < last[seat.conversation] ?? 0 {
            broken(
                .unreadWrong,
                "\(histories[spot.history].name) was told that the last message is \(answer.last), which is "
                    + "\(last[seat.conversation] ?? 0)", spot)
        }
    }
}
