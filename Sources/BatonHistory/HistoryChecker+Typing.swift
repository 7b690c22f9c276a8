/// 4. Who was told that somebody types. A notice that nobody got is no breach: it is worth nothing later, and dropped
/// where it is in the way.
extension HistoryChecker {
    /// That a user showed another one that they type, or no longer do.
    private struct Showing: Hashable {
        let conversation: Int
        let typist: Int
        let reader: Int
        let isActive: Bool
    }

    mutating func lookAtTyping() {
        let shown = firstShown()
        let written = firstWritten()
        let blocks = blocks()
        for history in histories.indices {
            let reader = users.number(histories[history].user)
            for (index, record) in histories[history].records.enumerated() {
                guard case .typing(let conversation, let name, let isActive) = record.event else { continue }
                let typist = users.number(name)
                let showings = [isActive, !isActive].map {
                    Showing(
                        conversation: conversations.number(conversation), typist: typist, reader: reader, isActive: $0)
                }
                let spot = Spot(history: history, index: index)
                let told = "\(histories[history].name) was told that \(name) types in \(conversation)"
                guard let began = shown[showings[0]], began <= record.at else {
                    broken(.typingLeaked, "\(told), who showed it to nobody there", spot)
                    continue
                }
                let pair = [
                    Seat(conversation: reader, owner: typist), Seat(conversation: typist, owner: reader),
                ]
                guard pair.allSatisfy({ written[$0].map { $0 <= record.at } ?? false }) else {
                    broken(.typingLeaked, "\(told), and they have not written to each other", spot)
                    continue
                }
                guard let block = pair.compactMap({ blocks[$0] }).min(by: { $0.at < $1.at }) else { continue }
                // A node that did not hear of the block believes for a while what it knew, if it knew anything.
                let wasKnown = showings.contains { shown[$0].map { $0 <= block.at } ?? false }
                let isAllowed = wasKnown && record.at <= block.at.saturatingAdding(bounds.typingAfterBlock)
                guard record.at > block.at, !isAllowed else { continue }
                broken(.typingLeaked, "\(told), and one of the two has blocked the other", block.spot, spot)
            }
        }
    }

    private mutating func firstShown() -> [Showing: Int64] {
        var shown: [Showing: Int64] = [:]
        for history in histories {
            let typist = users.number(history.user)
            for record in history.records {
                guard case .typed(let conversation, let recipients, let isActive) = record.event else { continue }
                for reader in recipients {
                    let showing = Showing(
                        conversation: conversations.number(conversation), typist: typist,
                        reader: users.number(reader), isActive: isActive)
                    shown[showing] = min(shown[showing] ?? .max, record.at)
                }
            }
        }
        return shown
    }

    /// For each sender and recipient when the first message was sent. The relay may know of it from then on.
    private func firstWritten() -> [Seat: Int64] {
        var first: [Seat: Int64] = [:]
        for (name, message) in sent {
            guard let sender = userOf[name.device] else { continue }
            for recipient in message.recipients {
                let pair = Seat(conversation: sender, owner: recipient)
                first[pair] = min(first[pair] ?? .max, time(message.at))
            }
        }
        return first
    }

    /// For each user, and whom they blocked, since when.
    private mutating func blocks() -> [Seat: (at: Int64, spot: Spot)] {
        var blocks: [Seat: (at: Int64, spot: Spot)] = [:]
        for (history, one) in histories.enumerated() {
            let user = users.number(one.user)
            for (index, record) in one.records.enumerated() {
                guard case .blocked(let other) = record.event else { continue }
                let pair = Seat(conversation: user, owner: users.number(other))
                if blocks[pair].map({ $0.at <= record.at }) == true { continue }
                blocks[pair] = (record.at, Spot(history: history, index: index))
            }
        }
        return blocks
    }
}
