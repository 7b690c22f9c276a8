/// 3. Receipts that should be there in the end.
extension HistoryChecker {
    /// A sender's devices know how far each recipient has the conversation, and how far they have read it.
    mutating func lookForReceipts() {
        lookForDelivered()
        lookForRead()
    }

    private func receipt(_ spot: Spot?) -> HistoryRecord.Receipt? {
        guard let spot, case .receipt(let receipt) = histories[spot.history].records[spot.index].event else {
            return nil
        }
        return receipt
    }

    /// For each conversation, sender and recipient the last message that the recipient applied is known as delivered.
    private mutating func lookForDelivered() {
        struct Pair: Hashable {
            let conversation: Int
            let sender: Int
            let recipient: Int
        }
        var wanted: [Pair: (sequence: UInt64, at: Spot)] = [:]
        for (name, message) in sent {
            guard let ok = message.ok, let sender = userOf[name.device] else { continue }
            for recipient in message.recipients {
                let isApplied =
                    historiesOf[recipient]?.contains { !histories[$0].isRevoked && applied[$0][ok.place] != nil }
                    ?? false
                let pair = Pair(conversation: message.conversation, sender: sender, recipient: recipient)
                guard isApplied, ok.place.sequence > wanted[pair]?.sequence ?? 0 else { continue }
                wanted[pair] = (ok.place.sequence, ok.at)
            }
        }
        for (pair, goal) in wanted {
            for history in historiesOf[pair.sender] ?? [] where !histories[history].isRevoked {
                let known = receipts[history][pair.conversation]?[pair.recipient]
                if receipt(known)?.delivered ?? 0 >= goal.sequence { continue }
                broken(
                    .receiptIncomplete,
                    "\(histories[history].name) never learned that \(users.name(pair.recipient)) has "
                        + "\(conversations.name(pair.conversation)).\(goal.sequence)",
                    [goal.at] + (known.map { [$0] } ?? []))
            }
        }
    }

    /// For each user and conversation the furthest read is known to the devices of the others.
    private mutating func lookForRead() {
        var furthest: [Seat: (sequence: UInt64, at: Spot)] = [:]
        for (number, history) in histories.enumerated() where !history.isRevoked {
            let reader = users.number(history.user)
            for (index, record) in history.records.enumerated() {
                guard case .read(let conversation, let sequence) = record.event else { continue }
                let key = Seat(conversation: conversations.number(conversation), owner: reader)
                guard sequence > furthest[key]?.sequence ?? 0 else { continue }
                furthest[key] = (sequence, Spot(history: number, index: index))
            }
        }
        var senders: [Int: Set<Int>] = [:]
        for (name, message) in sent where message.ok != nil {
            if let user = userOf[name.device] { senders[message.conversation, default: []].insert(user) }
        }
        for (key, goal) in furthest {
            let reader = key.owner
            for other in senders[key.conversation] ?? [] where other != reader {
                for history in historiesOf[other] ?? [] where !histories[history].isRevoked {
                    let known = receipts[history][key.conversation]?[reader]
                    if receipt(known)?.read ?? 0 >= goal.sequence { continue }
                    broken(
                        .receiptIncomplete,
                        "\(histories[history].name) never learned that \(users.name(reader)) read "
                            + "\(conversations.name(key.conversation)).\(goal.sequence)",
                        [goal.at] + (known.map { [$0] } ?? []))
                }
            }
        }
    }
}
