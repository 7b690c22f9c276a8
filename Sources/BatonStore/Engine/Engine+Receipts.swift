import BatonCore

extension Engine {
    /// Moves a device's cursor, and with it the delivered watermarks of its user.
    mutating func acknowledge(_ request: AcknowledgeRequest) throws(SQLiteFailure) -> StoreOutcome {
        guard let cursor = try rows.cursor(request.device, of: request.user) else {
            return .refused(.deviceRevoked(.loggedOut))
        }
        if let reason = try rows.revocation(of: cursor) { return .refused(.deviceRevoked(reason)) }
        let inbox = try rows.inbox(cursor.user)
        guard request.position.rawValue <= UInt64(bitPattern: inbox.head) else {
            return .refused(.beyondLast(last: UInt64(bitPattern: inbox.head)))
        }
        let position = Int64(request.position.rawValue)
        guard position > cursor.position else { return .acknowledged(events: []) }

        var events: [InboxEvent] = []
        for (num, sequence) in try received(by: cursor.user, after: cursor.position, upTo: position) {
            guard let conversation = try rows.conversation(num: num), let member = conversation.member(cursor.user),
                sequence > member.delivered
            else { continue }
            member.delivered = sequence
            rows.changed(member, in: conversation)
            var receipts: [InboxEvent] = []
            for peer in conversation.members where peer.user != cursor.user {
                let peerInbox = try rows.inbox(peer.user)
                receipts.append(
                    try notify(
                        of: member, whose: request.user, in: conversation, at: request.at, to: peerInbox))
            }
            events += receipts.sorted { $0.user < $1.user }
        }
        cursor.position = position
        cursor.lastUsed = max(cursor.lastUsed, request.at.milliseconds)
        rows.changed(cursor)
        inbox.isToTrim = true
        rows.changed(inbox)
        return .acknowledged(events: events)
    }

    /// The latest message of others in each conversation, among a stretch of an inbox; by conversation.
    private func received(
        by user: Int64, after old: Int64, upTo new: Int64
    ) throws(SQLiteFailure) -> [(conversation: Int64, sequence: Int64)] {
        var latest: [(conversation: Int64, sequence: Int64)] = []
        var places: [Int64: Int] = [:]
        let query = statements.acknowledged
        query.bind(1, user)
        query.bind(2, old)
        query.bind(3, new)
        while try query.step() {
            let (conversation, sequence) = (query.integer(0), query.integer(1))
            if let last = latest.last, last.conversation == conversation {
                latest[latest.count - 1].sequence = max(last.sequence, sequence)
            } else if let place = places[conversation] {
                latest[place].sequence = max(latest[place].sequence, sequence)
            } else {
                if !latest.isEmpty { places[latest[latest.count - 1].conversation] = latest.count - 1 }
                latest.append((conversation, sequence))
            }
        }
        query.reset()
        return latest
    }

    /// Moves a member's read watermark, and the delivered one where it was behind.
    mutating func read(_ request: ReadRequest) throws(SQLiteFailure) -> StoreOutcome {
        guard let cursor = try rows.cursor(request.device, of: request.user) else {
            return .refused(.deviceRevoked(.loggedOut))
        }
        if let reason = try rows.revocation(of: cursor) { return .refused(.deviceRevoked(reason)) }
        guard let conversation = try rows.conversation(request.conversation),
            let member = conversation.member(cursor.user)
        else { return .refused(.unknownConversation) }
        guard request.sequence.rawValue <= UInt64(bitPattern: conversation.last) else {
            return .refused(.beyondLast(last: UInt64(bitPattern: conversation.last)))
        }
        let sequence = Int64(request.sequence.rawValue)
        guard sequence > member.read else { return .markedRead(events: []) }

        member.sentRead = try ownMessages(of: member, in: conversation, upTo: sequence)
        member.read = sequence
        member.delivered = max(member.delivered, sequence)
        rows.changed(member, in: conversation)
        var events: [InboxEvent] = []
        for other in conversation.members {
            let inbox = try rows.inbox(other.user)
            if other.user == cursor.user, inbox.devices < 2 { continue }
            events.append(
                try notify(of: member, whose: request.user, in: conversation, at: request.at, to: inbox))
        }
        events.sort { $0.user < $1.user }
        return .markedRead(events: events)
    }

    /// How many of the messages up to a sequence are the member's own: what keeps unread counts exact without a
    /// counter that every message would have to move. Reads are mostly of the last message and need no look at all;
    /// others walk from the next anchor.
    private func ownMessages(
        of member: HotMember, in conversation: HotConversation, upTo sequence: Int64
    ) throws(SQLiteFailure) -> Int64 {
        if sequence == conversation.last { return member.sent }
        var num = try anchor(in: conversation, atOrAfter: sequence)
        // The own messages behind the sequence, as far as they are still there.
        var own = member.sent
        while num != 0 {
            let link = statements.messageLink
            link.bind(1, num)
            guard try link.step() else {
                link.reset()
                break
            }
            let (place, sender, nth, previous) = (
                link.integer(0), link.integer(1), link.integer(2), link.integer(3)
            )
            link.reset()
            if place <= sequence {
                if sender == member.user { return nth }
                // Of a pair, who is not the one is the other.
                if conversation.members.count == 2 { return place - nth }
            } else if sender == member.user {
                own = nth - 1
            }
            num = previous
        }
        return max(member.sentRead, min(own, sequence))
    }

    /// A message from which the chain leads back to a sequence.
    private func anchor(in conversation: HotConversation, atOrAfter sequence: Int64) throws(SQLiteFailure) -> Int64 {
        let query = statements.anchor
        query.bind(1, conversation.num)
        query.bind(2, sequence)
        let num = try query.step() ? query.integer(0) : conversation.lastMessage
        query.reset()
        return num
    }
}
