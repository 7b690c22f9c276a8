/// 2. One device's history, in its order.
extension HistoryChecker {
    /// Where a device stands while its history is followed.
    private struct Position {
        var inbox: (sequence: UInt64, index: Int)?
        /// What came last over a connection.
        var reception: (connection: UInt64, sequence: UInt64, index: Int)?
        /// For each conversation the last place that was applied, with its record.
        var places: [Int: (sequence: UInt64, index: Int)] = [:]
        /// For each conversation and sending device the last message's number.
        var bodies: [Seat: (body: UInt64, index: Int)] = [:]
        /// For each conversation and user the last receipt.
        var receipts: [Seat: (receipt: HistoryRecord.Receipt, index: Int)] = [:]
    }

    mutating func follow(_ history: Int) {
        var position = Position()
        for (index, record) in histories[history].records.enumerated() {
            let spot = Spot(history: history, index: index)
            switch record.event {
            case .received(let inbox, let connection): followReceptions(inbox, on: connection, spot, &position)
            case .applied(let message):
                followInbox(message.inbox, spot, &position)
                follow(message, spot, &position)
            case .receipt(let receipt):
                followInbox(receipt.inbox, spot, &position)
                follow(receipt, spot, &position)
            case .resync(let why):
                position.inbox = nil
                broken(.resynced, "\(histories[history].name) was told to begin anew: \(why)", spot)
            case .device, .invoked, .sent, .ok, .failed, .unknown, .acked, .read, .connection, .watching, .presence,
                .typed,
                .typing, .blocked, .unread, .reading:
                break
            }
        }
    }

    private mutating func followInbox(_ sequence: UInt64, _ spot: Spot, _ position: inout Position) {
        if let last = position.inbox { followEntry(sequence, behind: last, "applied", spot) }
        position.inbox = (sequence, spot.index)
    }

    /// What a client passes over in silence, since it has it already, is seen here: a relay that sends it again.
    private mutating func followReceptions(
        _ sequence: UInt64, on connection: UInt64, _ spot: Spot, _ position: inout Position
    ) {
        if let last = position.reception, last.connection == connection {
            followEntry(sequence, behind: (last.sequence, last.index), "was sent", spot)
        }
        position.reception = (connection, sequence, spot.index)
    }

    private mutating func followEntry(
        _ sequence: UInt64, behind last: (sequence: UInt64, index: Int), _ what: String, _ spot: Spot
    ) {
        guard sequence != last.sequence &+ 1 else { return }
        let invariant: Invariant =
            sequence == last.sequence ? .duplicated : sequence < last.sequence ? .reordered : .hole
        broken(
            invariant, "\(histories[spot.history].name) \(what) entry \(sequence) of its inbox after \(last.sequence)",
            Spot(history: spot.history, index: last.index), spot)
    }

    private mutating func follow(_ message: HistoryRecord.Applied, _ spot: Spot, _ position: inout Position) {
        let place = Place(conversation: conversations.number(message.conversation), sequence: message.sequence)
        let sender = devices.number(message.device)
        let history = spot.history
        if let first = applied[history][place], first != spot.index {
            broken(
                .duplicated, "\(histories[history].name) applied \(text(place)) twice",
                Spot(history: history, index: first), spot)
            return
        }
        let original = sent[Name(device: sender, ref: message.ref)]
        if userOf[sender] != nil { compare(message, original, spot) }
        if deviceOf[history] != sender { verdict.delivered += 1 }

        let before = position.places[place.conversation]
        if let before, message.sequence < before.sequence {
            broken(
                .reordered,
                "\(histories[history].name) applied \(text(place)) after \(before.sequence) of the same conversation",
                Spot(history: history, index: before.index), spot)
        } else {
            lookForHoles(behind: before, upTo: place, spot)
            position.places[place.conversation] = (message.sequence, spot.index)
        }
        // One that its device had given up may come whenever it got through.
        guard let body = message.body, original?.isUnknown != true else { return }
        let stretch = Seat(conversation: place.conversation, owner: sender)
        if let before = position.bodies[stretch], body < before.body {
            broken(
                .reordered,
                "\(histories[history].name) applied message \(body) of \(message.device) after its message "
                    + "\(before.body)", Spot(history: history, index: before.index), spot)
        }
        position.bodies[stretch] = (body, spot.index)
    }

    /// What is applied was sent, with this content, to this conversation.
    private mutating func compare(_ message: HistoryRecord.Applied, _ original: Sent?, _ spot: Spot) {
        guard let original else {
            broken(
                .neverSent,
                "\(histories[spot.history].name) applied \(message.ref), which \(message.device) never sent",
                spot)
            return
        }
        if conversations.name(original.conversation) != message.conversation || original.body != message.body {
            broken(
                .neverSent,
                "\(histories[spot.history].name) applied \(message.ref) with another content or conversation",
                original.at, spot)
        }
    }

    /// Places between two that were applied belong to messages of the device itself.
    private mutating func lookForHoles(
        behind before: (sequence: UInt64, index: Int)?, upTo place: Place, _ spot: Spot
    ) {
        let start = (before?.sequence ?? 0) &+ 1
        guard start < place.sequence else { return }
        let device = deviceOf[spot.history]
        // A gap of a damaged history may be as wide as numbers go; places that nobody knows are counted once.
        var unknown: UInt64 = 0
        if place.sequence - start > Self.widestGap {
            unknown = place.sequence - start
        } else {
            for sequence in start..<place.sequence {
                let passed = Place(conversation: place.conversation, sequence: sequence)
                guard let known = held[passed] else {
                    unknown += 1
                    continue
                }
                // One that is known and of another device is `lost`, or `reordered` if it comes later, unless its
                // sender never heard of its acceptance: then it is a hole.
                if known.name.device != device, sent[known.name]?.ok == nil, applied[spot.history][passed] == nil {
                    unknown += 1
                }
            }
        }
        // Own messages whose place the device never learned.
        guard unknown > unsettledSends[device]?[place.conversation] ?? 0 else { return }
        broken(
            .hole, "\(histories[spot.history].name) passed over \(unknown) places before \(text(place))",
            (before.map { [Spot(history: spot.history, index: $0.index)] } ?? []) + [spot])
    }

    static var widestGap: UInt64 { 100_000 }

    private mutating func follow(_ receipt: HistoryRecord.Receipt, _ spot: Spot, _ position: inout Position) {
        let (conversation, user) = (conversations.number(receipt.conversation), users.number(receipt.user))
        let key = Seat(conversation: conversation, owner: user)
        if let before = position.receipts[key],
            receipt.delivered < before.receipt.delivered || receipt.read < before.receipt.read
        {
            broken(
                .receiptWentBack,
                "\(histories[spot.history].name) saw \(receipt.user)'s watermarks in \(receipt.conversation) go back",
                Spot(history: spot.history, index: before.index), spot)
        }
        if receipt.read > receipt.delivered || receipt.delivered > last[conversation] ?? 0 {
            broken(
                .receiptWentBack,
                "\(histories[spot.history].name) saw watermarks beyond what there is: read \(receipt.read), delivered "
                    + "\(receipt.delivered), last \(last[conversation] ?? 0)", spot)
        }
        position.receipts[key] = (receipt, spot.index)
        receipts[spot.history][conversation, default: [:]][user] = spot
    }
}
