/// 3. Receipts that should be there in the end.
extension HistoryChecker {
    /// A sender's devices know how far each recipient has the conversation, and how far they have read it.
    mutating func lookForReceipts() {
        lookForDelivered()
        lookForRead()
    }

    /// For each conversation, sender and recipient the last message that the recipient applied is known as delivered.
    private mutating func lookForDelivered() {
        struct Pair: Hashable {
            let conversation: String
            let sender: String
            let recipient: String
        }
        var wanted: [Pair: (sequence: UInt64, at: HistoryLine)] = [:]
        for (name, message) in sent {
            guard let ok = message.ok, let sender = userOf[name.device] else { continue }
            for recipient in message.recipients {
                let isApplied = devicesOf[recipient]?.contains { applied[$0].contains(ok.place) } ?? false
                let pair = Pair(conversation: message.conversation, sender: sender, recipient: recipient)
                guard isApplied, ok.place.sequence > wanted[pair]?.sequence ?? 0 else { continue }
                wanted[pair] = (ok.place.sequence, ok.at)
            }
        }
        for (pair, goal) in wanted {
            for device in devicesOf[pair.sender] ?? [] {
                let known = receipts[device][pair.conversation]?[pair.recipient]
                if (known?.receipt?.delivered ?? 0) >= goal.sequence { continue }
                broken(
                    .receiptIncomplete,
                    "\(histories[device].name) never learned that \(pair.recipient) has "
                        + "\(pair.conversation).\(goal.sequence)",
                    [goal.at] + (known.map { [$0] } ?? []))
            }
        }
    }

    /// For each user and conversation the furthest read is known to the devices of the others.
    private mutating func lookForRead() {
        var furthest: [String: [String: (sequence: UInt64, at: HistoryLine)]] = [:]
        for (number, history) in histories.enumerated() {
            for (index, record) in history.records.enumerated() {
                guard case .read(let conversation, let sequence) = record.event,
                    sequence > furthest[conversation]?[history.user]?.sequence ?? 0
                else { continue }
                furthest[conversation, default: [:]][history.user] = (sequence, line(number, index))
            }
        }
        var senders: [String: Set<String>] = [:]
        for (name, message) in sent where message.ok != nil {
            if let user = userOf[name.device] { senders[message.conversation, default: []].insert(user) }
        }
        for (conversation, readers) in furthest {
            for (reader, goal) in readers {
                for other in senders[conversation] ?? [] where other != reader {
                    for device in devicesOf[other] ?? [] {
                        let known = receipts[device][conversation]?[reader]
                        if (known?.receipt?.read ?? 0) >= goal.sequence { continue }
                        broken(
                            .receiptIncomplete,
                            "\(histories[device].name) never learned that \(reader) read "
                                + "\(conversation).\(goal.sequence)",
                            [goal.at] + (known.map { [$0] } ?? []))
                    }
                }
            }
        }
    }
}

extension HistoryLine {
    fileprivate var receipt: HistoryRecord.Receipt? {
        if case .receipt(let receipt) = record.event { receipt } else { nil }
    }
}
