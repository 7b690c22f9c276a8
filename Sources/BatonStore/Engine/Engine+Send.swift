import BatonCore
import GRDBSQLite

extension Engine {
    mutating func send(_ request: SendRequest) throws(SQLiteFailure) -> StoreOutcome {
        guard let cursor = try rows.cursor(request.device, of: request.sender) else {
            return .refused(.deviceRevoked(.loggedOut))
        }
        if let reason = try rows.revocation(of: cursor) { return .refused(.deviceRevoked(reason)) }
        let destination: Destination
        switch try resolve(request, sender: cursor.user).flatMap({ $0.checked(request, sender: cursor.user) }) {
        case .success(let found): destination = found
        case .failure(let violation):
            // It may have been within the rules the first time: a retry gets the first answer.
            return try firstOutcome(request, of: cursor) ?? .refused(violation.refusal)
        }

        let num = rows.takeMessageNum()
        guard try claim(request.ref, of: cursor.device, for: num) else {
            if let outcome = try firstOutcome(request, of: cursor) { return outcome }
            // The message went with age before its ref did: the name is free again.
            try unclaim(request.ref, of: cursor.device)
            _ = try claim(request.ref, of: cursor.device, for: num)
            return try store(request, num: num, from: cursor.user, to: destination)
        }
        return try store(request, num: num, from: cursor.user, to: destination)
    }

    private enum Destination {
        case existing(HotConversation)
        case new(ConversationID, peer: Int64)

        func novelty(to sender: Int64) -> SendNovelty {
            switch self {
            case .new: [.conversation, .stranger]
            case .existing(let conversation):
                conversation.id.isDirect && conversation.members.allSatisfy { $0.user == sender || $0.sent == 0 }
                    ? .stranger : []
            }
        }

        func checked(_ request: SendRequest, sender: Int64) -> Result<Destination, Violation> {
            guard !request.refusing.isEmpty, let limit = novelty(to: sender).limit(refusing: request.refusing) else {
                return .success(self)
            }
            return .failure(Violation(refusal: .limited(limit)))
        }
    }

    private struct Violation: Error {
        let refusal: Refusal
    }

    private mutating func resolve(
        _ request: SendRequest, sender: Int64
    ) throws(SQLiteFailure) -> Result<Destination, Violation> {
        switch request.target {
        case .conversation(let id):
            guard let conversation = try rows.conversation(id), conversation.member(sender) != nil else {
                return .failure(Violation(refusal: .unknownConversation))
            }
            guard !conversation.isBlocked else { return .failure(Violation(refusal: .blocked)) }
            return .success(.existing(conversation))
        case .user(let peer):
            guard peer != request.sender else { return .failure(Violation(refusal: .sameUser)) }
            guard let id = ConversationID(between: request.sender, and: peer), let num = try rows.userNum(peer) else {
                return .failure(Violation(refusal: .unknownUser))
            }
            if let conversation = try rows.conversation(id) {
                guard !conversation.isBlocked else { return .failure(Violation(refusal: .blocked)) }
                return .success(.existing(conversation))
            }
            let query = statements.blocks
            query.bind(1, sender)
            query.bind(2, num)
            let isBlocked = try query.step() && query.integer(0) > 0
            query.reset()
            return isBlocked ? .failure(Violation(refusal: .blocked)) : .success(.new(id, peer: num))
        }
    }

    private mutating func store(
        _ request: SendRequest, num: Int64, from sender: Int64, to destination: Destination
    ) throws(SQLiteFailure) -> StoreOutcome {
        let novelty = destination.novelty(to: sender)
        let conversation: HotConversation
        switch destination {
        case .existing(let found): conversation = found
        case .new(let id, let peer):
            conversation = try rows.createConversation(
                id, members: [sender, peer], at: request.at.milliseconds)
        }
        conversation.last += 1
        conversation.lastAt = request.at.following(Timestamp(milliseconds: conversation.lastAt)).milliseconds
        let previous = conversation.lastMessage
        conversation.lastMessage = num
        rows.changed(conversation)
        var nth: Int64 = 0
        if let member = conversation.member(sender) {
            member.sent += 1
            nth = member.sent
            rows.changed(member, in: conversation)
        }
        try insert(request.payload, num: num, in: conversation, sender: sender, nth: nth, previous: previous)

        let message = StoredMessage(
            id: MessageID(conversation: conversation.id, sequence: ConversationSequence(stored: conversation.last)),
            at: Timestamp(milliseconds: conversation.lastAt), payload: request.payload)
        var events: [InboxEvent] = []
        var acquaintances: [UserID] = []
        events.reserveCapacity(conversation.members.count)
        for member in conversation.members {
            let inbox = try rows.inbox(member.user)
            if nth == 1, member.user != sender, member.sent > 0 { acquaintances.append(inbox.id) }
            guard Self.isAddressed(inbox, from: sender) else { continue }
            events.append(
                try deliver(message, num: num, conversation: conversation, sender: sender, to: inbox))
        }
        events.sort { $0.user < $1.user }
        #if DEBUG
            events += try inventReceipts(of: request, in: conversation, from: sender)
        #endif
        return .sent(
            AcceptedMessage(
                id: message.id, at: message.at, isRepeat: false, events: events, novelty: novelty,
                newAcquaintances: acquaintances))
    }

    /// Whether a sender's message goes to a member's inbox. The sending device has it already: the own inbox matters to
    /// the others only.
    private static func isAddressed(_ inbox: HotInbox, from sender: Int64) -> Bool {
        inbox.user != sender || inbox.devices > 1
    }

    #if DEBUG
        /// Planted: the recipients are said to have the message already.
        private mutating func inventReceipts(
            of request: SendRequest, in conversation: HotConversation, from sender: Int64
        ) throws(SQLiteFailure) -> [InboxEvent] {
            guard rows.plantedBug == .inventReceipts else { return [] }
            var events: [InboxEvent] = []
            for member in conversation.members where member.user != sender {
                member.delivered = conversation.last
                rows.changed(member, in: conversation)
                events.append(
                    try notify(
                        of: member, whose: try rows.inbox(member.user).id, in: conversation, at: request.at,
                        to: try rows.inbox(sender)))
            }
            return events
        }
    #endif

    private func insert(
        _ payload: [UInt8], num: Int64, in conversation: HotConversation, sender: Int64, nth: Int64, previous: Int64
    ) throws(SQLiteFailure) {
        let statement = statements.insertMessage
        statement.bind(1, num)
        statement.bind(2, conversation.num)
        statement.bind(3, conversation.last)
        statement.bind(4, sender)
        statement.bind(5, nth)
        statement.bind(6, previous)
        statement.bind(7, conversation.lastAt)
        statement.bind(8, blob: payload)
        try statement.run()
    }

    // MARK: Refs

    /// - Returns: false where the device has used the name before.
    private func claim(_ ref: String, of device: Int64, for num: Int64) throws(SQLiteFailure) -> Bool {
        let statement = statements.insertRef
        statement.bind(1, device)
        statement.bind(2, text: ref)
        statement.bind(3, num)
        try statement.run()
        #if DEBUG
            if rows.plantedBug == .forgetIdempotence { return true }
        #endif
        return sqlite3_changes(connection) == 1
    }

    private func unclaim(_ ref: String, of device: Int64) throws(SQLiteFailure) {
        let statement = statements.deleteRef
        statement.bind(1, device)
        statement.bind(2, text: ref)
        try statement.run()
    }

    /// What became of the message that the device called so; nil where there is none.
    private mutating func firstOutcome(
        _ request: SendRequest, of cursor: HotCursor
    ) throws(SQLiteFailure) -> StoreOutcome? {
        let query = statements.refOutcome
        query.bind(1, cursor.device)
        query.bind(2, text: request.ref)
        defer { query.reset() }
        guard try query.step() else { return nil }
        let id = MessageID(
            conversation: ConversationID(
                high: UInt64(bitPattern: query.integer(0)), low: UInt64(bitPattern: query.integer(1))),
            sequence: ConversationSequence(stored: query.integer(2)))
        let isSame =
            query.isNull(4)
            ? query.integer(5) == PayloadDigest.of(request.payload) : query.blob(4) == request.payload
        guard isSame, request.target.isCompatible(with: id.conversation, sender: request.sender) else {
            return .refused(.refReused(first: id))
        }
        let at = Timestamp(milliseconds: query.integer(3))
        let heads = try heads(of: id.conversation, from: cursor.user)
        return .sent(AcceptedMessage(id: id, at: at, isRepeat: true, events: [], heads: heads))
    }

    /// How far the inboxes go to which a message of this sender went.
    private mutating func heads(
        of id: ConversationID, from sender: Int64
    ) throws(SQLiteFailure) -> [UserID: InboxSequence] {
        guard let conversation = try rows.conversation(id) else { return [:] }
        var heads: [UserID: InboxSequence] = [:]
        for member in conversation.members {
            let inbox = try rows.inbox(member.user)
            if Self.isAddressed(inbox, from: sender) { heads[inbox.id] = InboxSequence(stored: inbox.head) }
        }
        return heads
    }
}

extension SendRequest.Target {
    /// Whether a message to this target is one of the conversation.
    func isCompatible(with conversation: ConversationID, sender: UserID) -> Bool {
        switch self {
        case .conversation(let id): id == conversation
        case .user(let peer): ConversationID(between: sender, and: peer) == conversation
        }
    }
}
