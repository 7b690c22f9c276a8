import BatonCore

extension InMemoryMessageStore.State {
    mutating func apply(_ operation: StoreOperation) -> StoreOutcome {
        switch operation {
        case .send(let request): send(request)
        case .acknowledge(let request): acknowledge(request)
        case .read(let request): read(request)
        case .connect(let request): connect(request)
        }
    }

    func device(_ id: DeviceID, of user: UserID) -> InMemoryDevice? {
        guard let device = devices[id], device.owner == user, device.revoked == nil else { return nil }
        return device
    }

    /// Why a device is none of a user's.
    private func refusal(of id: DeviceID, _ user: UserID) -> StoreOutcome {
        let device = devices[id].flatMap { $0.owner == user ? $0 : nil }
        return .refused(.deviceRevoked(device?.revoked ?? .loggedOut))
    }

    private func deviceCount(of user: UserID) -> Int {
        devices.values.count { $0.owner == user && $0.isActive }
    }

    /// Removes what all of the user's active devices have; everything where there is none.
    mutating func trim(_ user: UserID) {
        let cursors = devices.values.filter { $0.owner == user && $0.isActive }.map(\.cursor)
        guard let head = users[user]?.head else { return }
        users[user]?.remove(upTo: cursors.min() ?? head)
    }

    // MARK: Sending

    private mutating func send(_ request: SendRequest) -> StoreOutcome {
        guard device(request.device, of: request.sender) != nil else {
            return refusal(of: request.device, request.sender)
        }
        let key = InMemoryMessageStore.RefKey(device: request.device, ref: request.ref)
        if let first = refs[key] {
            guard first.payload == request.payload, first.id.conversation == conversationID(of: request) else {
                return .refused(.refReused(first: first.id))
            }
            return .sent(
                AcceptedMessage(
                    id: first.id, at: first.at, isRepeat: true, events: [],
                    heads: heads(of: first.id.conversation, from: request.sender)))
        }
        if let refusal = refusal(of: request) { return .refused(refusal) }
        guard let id = conversationID(of: request), let pair = id.pair else {
            return .refused(.unknownConversation)
        }
        var conversation =
            conversations[id] ?? InMemoryConversation(members: [pair.0: .init(), pair.1: .init()])
        var novelty: SendNovelty = conversations[id] == nil ? .conversation : []
        if !conversation.messages.contains(where: { $0.sender != request.sender }) { novelty.insert(.stranger) }
        if let limit = novelty.limit(refusing: request.refusing) { return .refused(.limited(limit)) }
        let at = request.at.following(conversation.messages.last?.message.at ?? request.at)
        let message = StoredMessage(
            id: MessageID(conversation: id, sequence: conversation.last.next), at: at, payload: request.payload)
        let writers = Set(conversation.messages.map(\.sender))
        conversation.messages.append(.init(sender: request.sender, message: message))
        conversations[id] = conversation
        refs[key] = message
        var events: [InboxEvent] = []
        for user in inboxes(of: id, from: request.sender) { events += append(.message(message), to: user) }
        return .sent(
            AcceptedMessage(
                id: message.id, at: at, isRepeat: false, events: events, novelty: novelty,
                newAcquaintances: writers.contains(request.sender) ? [] : writers.sorted()))
    }

    /// Those whose inboxes a message goes to.
    private func inboxes(of id: ConversationID, from sender: UserID) -> [UserID] {
        guard let pair = id.pair else { return [] }
        return [pair.0, pair.1].filter { $0 != sender || deviceCount(of: $0) > 1 }
    }

    private func heads(of id: ConversationID, from sender: UserID) -> [UserID: InboxSequence] {
        inboxes(of: id, from: sender).reduce(into: [:]) { heads, user in heads[user] = users[user]?.head }
    }

    private func conversationID(of request: SendRequest) -> ConversationID? {
        switch request.target {
        case .conversation(let id): id
        case .user(let peer): ConversationID(between: request.sender, and: peer)
        }
    }

    private func refusal(of request: SendRequest) -> Refusal? {
        let peer: UserID
        switch request.target {
        case .conversation(let id):
            guard conversations[id] != nil, let other = id.peer(of: request.sender) else {
                return .unknownConversation
            }
            peer = other
        case .user(let other):
            if other == request.sender { return .sameUser }
            guard users[other] != nil else { return .unknownUser }
            peer = other
        }
        let isBlocked = blocks.contains([peer, request.sender]) || blocks.contains([request.sender, peer])
        return isBlocked ? .blocked : nil
    }

    private mutating func append(_ body: InboxEvent.Body, to user: UserID) -> [InboxEvent] {
        guard let event = users[user]?.append(body, of: user) else { return [] }
        if deviceCount(of: user) == 0 { trim(user) }
        return [event]
    }

    // MARK: Devices

    private mutating func connect(_ request: ConnectRequest) -> StoreOutcome {
        guard var device = device(request.device, of: request.user), let inbox = users[request.user] else {
            return refusal(of: request.device, request.user)
        }
        device.connections = ConnectionGeneration(rawValue: device.connections.rawValue + 1)
        device.isIdle = false
        devices[request.device] = device
        let state = InboxState(
            epoch: inbox.epoch, head: inbox.head, truncated: inbox.truncated, cursor: device.cursor)
        return .connected(state, device.connections)
    }

    // MARK: Receipts

    private mutating func acknowledge(_ request: AcknowledgeRequest) -> StoreOutcome {
        guard let device = device(request.device, of: request.user), let inbox = users[request.user] else {
            return refusal(of: request.device, request.user)
        }
        guard request.position <= inbox.head else { return .refused(.beyondLast(last: inbox.head.rawValue)) }
        guard request.position > device.cursor else { return .acknowledged(events: []) }
        var reached: [(conversation: ConversationID, sequence: ConversationSequence)] = []
        for event in inbox.events where event.sequence > device.cursor && event.sequence <= request.position {
            guard case .message(let message) = event.body,
                conversations[message.id.conversation]?
                    .messages[Int(message.id.sequence.rawValue) - 1].sender != request.user
            else { continue }
            if let index = reached.firstIndex(where: { $0.conversation == message.id.conversation }) {
                reached[index].sequence = message.id.sequence
            } else {
                reached.append((message.id.conversation, message.id.sequence))
            }
        }
        devices[request.device]?.cursor = request.position
        var events: [InboxEvent] = []
        for (conversation, sequence) in reached {
            guard let old = conversations[conversation]?.members[request.user]?.delivered, sequence > old else {
                continue
            }
            conversations[conversation]?.members[request.user]?.delivered = sequence
            if let peer = conversation.peer(of: request.user) {
                events += append(receipt(of: request.user, in: conversation, at: request.at), to: peer)
            }
        }
        trim(request.user)
        return .acknowledged(events: events)
    }

    private mutating func read(_ request: ReadRequest) -> StoreOutcome {
        guard device(request.device, of: request.user) != nil else { return refusal(of: request.device, request.user) }
        guard let conversation = conversations[request.conversation],
            let member = conversation.members[request.user]
        else { return .refused(.unknownConversation) }
        guard request.sequence <= conversation.last else {
            return .refused(.beyondLast(last: conversation.last.rawValue))
        }
        guard request.sequence > member.read else { return .markedRead(events: []) }
        conversations[request.conversation]?.members[request.user] = .init(
            delivered: max(member.delivered, request.sequence), read: request.sequence)
        let body = receipt(of: request.user, in: request.conversation, at: request.at)
        var events: [InboxEvent] = []
        for user in conversation.members.keys.sorted() where user != request.user || deviceCount(of: user) > 1 {
            events += append(body, to: user)
        }
        return .markedRead(events: events)
    }

    private func receipt(of user: UserID, in id: ConversationID, at now: Timestamp) -> InboxEvent.Body {
        let member = conversations[id]?.members[user] ?? .init()
        return .receipt(
            Receipt(conversation: id, user: user, delivered: member.delivered, read: member.read, at: now))
    }
}
