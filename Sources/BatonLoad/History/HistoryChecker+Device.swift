/// 2. One device's history, in its order.
extension HistoryChecker {
    /// Where a device stands while its history is followed.
    private struct Position {
        var inbox: (sequence: UInt64, line: Int)?
        /// For each conversation the last place that was applied, with its line.
        var places: [String: (sequence: UInt64, line: Int)] = [:]
        /// For each conversation and sending device the last message's number.
        var bodies: [String: [String: (body: UInt64, line: Int)]] = [:]
        /// For each conversation and user the last receipt.
        var receipts: [String: [String: (receipt: HistoryRecord.Receipt, line: Int)]] = [:]
        var seen: [Place: Int] = [:]
    }

    mutating func follow(_ device: Int) {
        var position = Position()
        for (index, record) in histories[device].records.enumerated() {
            switch record.event {
            case .applied(let message):
                followInbox(message.inbox, device, index, &position)
                follow(message, device, index, &position)
            case .receipt(let receipt):
                followInbox(receipt.inbox, device, index, &position)
                follow(receipt, device, index, &position)
            case .resync(let why):
                broken(.resynced, "\(histories[device].name) was told to begin anew: \(why)", line(device, index))
            default: break
            }
        }
    }

    private mutating func followInbox(_ sequence: UInt64, _ device: Int, _ index: Int, _ position: inout Position) {
        if let last = position.inbox, sequence <= last.sequence {
            broken(
                sequence == last.sequence ? .duplicated : .reordered,
                "\(histories[device].name) applied entry \(sequence) of its inbox after \(last.sequence)",
                line(device, last.line), line(device, index))
        }
        position.inbox = (sequence, index)
    }

    private mutating func follow(
        _ message: HistoryRecord.Applied, _ device: Int, _ index: Int, _ position: inout Position
    ) {
        let place = Place(conversation: message.conversation, sequence: message.sequence)
        let name = histories[device].name
        if let first = position.seen[place] {
            broken(.duplicated, "\(name) applied \(place) twice", line(device, first), line(device, index))
            return
        }
        position.seen[place] = index
        if userOf[message.device] != nil { compare(message, with: device, index) }
        if histories[device].device != message.device { verdict.delivered += 1 }

        let before = position.places[message.conversation]
        if let before, message.sequence < before.sequence {
            broken(
                .reordered, "\(name) applied \(place) after \(message.conversation).\(before.sequence)",
                line(device, before.line), line(device, index))
        } else {
            lookForHoles(behind: before, upTo: place, device, index)
            position.places[message.conversation] = (message.sequence, index)
        }
        guard let body = message.body else { return }
        if let before = position.bodies[message.conversation]?[message.device], body < before.body {
            broken(
                .reordered, "\(name) applied message \(body) of \(message.device) after its message \(before.body)",
                line(device, before.line), line(device, index))
        }
        position.bodies[message.conversation, default: [:]][message.device] = (body, index)
    }

    /// What is applied was sent, with this content, to this conversation.
    private mutating func compare(_ message: HistoryRecord.Applied, with device: Int, _ index: Int) {
        guard let original = sent[Name(device: message.device, ref: message.ref)] else {
            broken(
                .neverSent, "\(histories[device].name) applied \(message.ref), which \(message.device) never sent",
                line(device, index))
            return
        }
        if original.conversation != message.conversation || original.body != message.body {
            broken(
                .neverSent, "\(histories[device].name) applied \(message.ref) with another content or conversation",
                original.at, line(device, index))
        }
    }

    /// Places between two that were applied belong to messages of the device itself.
    private mutating func lookForHoles(
        behind before: (sequence: UInt64, line: Int)?, upTo place: Place, _ device: Int, _ index: Int
    ) {
        let start = (before?.sequence ?? 0) + 1
        guard start < place.sequence else { return }
        // A gap of a damaged history may be as wide as numbers go; places that nobody knows are counted once.
        var unknown: UInt64 = 0
        let width = place.sequence - start
        if width > Self.widestGap {
            unknown = width
        } else {
            for sequence in start..<place.sequence {
                let known = held[Place(conversation: place.conversation, sequence: sequence)]
                if known == nil { unknown += 1 }
                // One that is known and of another device is `lost`, or `reordered` if it comes later, unless its
                // sender never heard of its acceptance: then it is a hole.
                if let known, known.name.device != histories[device].device, sent[known.name]?.ok == nil,
                    !applied[device].contains(Place(conversation: place.conversation, sequence: sequence))
                {
                    unknown += 1
                }
            }
        }
        let own = unsettled(of: histories[device].device, in: place.conversation)
        guard unknown > own else { return }
        let evidence = before.map { [line(device, $0.line), line(device, index)] } ?? [line(device, index)]
        broken(
            .hole, "\(histories[device].name) passed over \(unknown) places of \(place.conversation) before \(place)",
            evidence)
    }

    private static var widestGap: UInt64 { 100_000 }

    /// Own messages whose place the device never learned.
    private func unsettled(of device: String, in conversation: String) -> UInt64 {
        UInt64(unsettledSends[device]?[conversation] ?? 0)
    }

    private mutating func follow(
        _ receipt: HistoryRecord.Receipt, _ device: Int, _ index: Int, _ position: inout Position
    ) {
        let before = position.receipts[receipt.conversation]?[receipt.user]
        if let before, receipt.delivered < before.receipt.delivered || receipt.read < before.receipt.read {
            broken(
                .receiptWentBack,
                "\(histories[device].name) saw \(receipt.user)'s watermarks in \(receipt.conversation) go back",
                line(device, before.line), line(device, index))
        }
        if receipt.read > receipt.delivered || receipt.delivered > last[receipt.conversation] ?? 0 {
            broken(
                .receiptWentBack,
                "\(histories[device].name) saw watermarks beyond what there is: read \(receipt.read), delivered "
                    + "\(receipt.delivered), last \(last[receipt.conversation] ?? 0)",
                line(device, index))
        }
        position.receipts[receipt.conversation, default: [:]][receipt.user] = (receipt, index)
        receipts[device][receipt.conversation, default: [:]][receipt.user] = line(device, index)
    }
}
