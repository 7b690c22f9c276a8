public import BatonCore
import BatonProtocol
import NIOCore

/// Sending, and the small things beside it.
extension BatonClient {
    /// Sends a message, and waits until the relay has stored it.
    ///
    /// Being cancelled, or losing the connection, does not take the message back: it stays in the outbox, and its
    /// outcome comes through ``events``.
    public func send(_ text: String, to recipient: Recipient) async throws(ClientError) -> AcceptedMessage {
        try await send(.text(text), to: recipient)
    }

    /// Sends any content, like a text.
    public func send(_ content: Content, to recipient: Recipient) async throws(ClientError) -> AcceptedMessage {
        let (ref, kept) = try queue(content, to: recipient)
        waiters[ref] = .expected
        do {
            try await kept.get()
        } catch {
            waiters[ref] = nil
            throw error as? ClientError ?? .stateFile(String(describing: error))
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                switch waiters[ref] {
                case .settled(let result):
                    waiters[ref] = nil
                    continuation.resume(returning: result)
                case .expected where !Task.isCancelled: waiters[ref] = .waiting(continuation)
                case .expected, .waiting, nil:
                    waiters[ref] = nil
                    continuation.resume(returning: .failure(.cancelled))
                }
            }
        } onCancel: {
            eventLoop.execute { self.assumeIsolated { $0.stopWaiting(for: ref) } }
        }
        return try result.get()
    }

    /// Queues a message. When this returns, the message is in the outbox (with a state file: on disk), and the relay's
    /// answer will come through ``events`` as `accepted` or `rejected` with this ref.
    public func enqueue(_ text: String, to recipient: Recipient) async throws(ClientError) -> String {
        try await enqueue(.text(text), to: recipient)
    }

    /// Queues any content, like a text.
    public func enqueue(_ content: Content, to recipient: Recipient) async throws(ClientError) -> String {
        let (ref, kept) = try queue(content, to: recipient)
        do {
            try await kept.get()
        } catch {
            throw error as? ClientError ?? .stateFile(String(describing: error))
        }
        return ref
    }

    /// Messages that wait to be accepted.
    public var outboxCount: Int { session.outbox.count }

    /// The user has read the conversation up to here. Where the connection ends before the relay can have stored it, it is
    /// told again on the next one; it is not kept over restarts.
    ///
    /// - Returns: false where there is no connection to tell it to; then it is not queued.
    @discardableResult
    public func markRead(_ message: MessageID) -> Bool {
        guard session.read(message, now: now) else {
            hurry()
            return false
        }
        writeRead(message)
        return true
    }

    /// Tells again what was read and may be lost.
    func repeatReads() {
        for message in session.readsDue(now: now) { writeRead(message) }
    }

    private func writeRead(_ message: MessageID) {
        var frame = WireClientFrame()
        frame.read.conversation = message.conversation.description
        frame.read.sequence = message.sequence.rawValue
        write(frame)
    }

    /// The user types, or stopped. Ephemeral; repeat it every few seconds while it lasts.
    @discardableResult
    public func typing(_ isActive: Bool, in conversation: ConversationID) -> Bool {
        var frame = WireClientFrame()
        frame.typing.conversation = conversation.description
        frame.typing.active = isActive
        return writeIfGreeted(frame)
    }

    /// The users whose presence the client wants to be told, instead of those it watched before; at most 256. Kept over
    /// reconnects.
    public func watch(_ users: [UserID]) {
        watched = Array(users.prefix(Limits.Connection.watchedUsers))
        if session.isGreeted { writeWatch() }
    }

    func writeWatch() {
        var frame = WireClientFrame()
        frame.watch.users = watched.map(\.description)
        observe(.watching(watched))
        write(frame)
    }

    private func writeIfGreeted(_ frame: WireClientFrame) -> Bool {
        guard session.isGreeted else {
            hurry()
            return false
        }
        write(frame)
        return true
    }

    /// Puts a message into the outbox. It is sent once the future has succeeded.
    private func queue(
        _ content: Content, to recipient: Recipient
    ) throws(ClientError) -> (ref: String, kept: EventLoopFuture<Void>) {
        if case .closed = phase { throw .closed }
        guard tokens != nil else { throw .notLoggedIn }
        var send = WireSend()
        send.ref = DeviceID.random(using: &generator).description
        send.content = content.wire
        switch recipient {
        case .user(let user): send.user = user.description
        case .conversation(let conversation): send.conversation = conversation.description
        }
        let message = OutboxMessage(send)
        guard message.bytes <= Limits.Message.contentBytes else {
            throw .invalidMessage("\(message.bytes) bytes; at most \(Limits.Message.contentBytes) are allowed")
        }
        let lane = Self.lane(of: send, sender: tokens?.user)
        guard session.outbox.enqueue(message, lane: lane, isKept: false) else { throw .outboxFull }
        hurry()
        let ref = send.ref
        let kept = writer.append([.queued(send)])
        kept.whenComplete { result in
            self.assumeIsolated { client in
                switch result {
                case .success: client.session.outbox.kept(ref)
                case .failure: _ = client.session.outbox.settled(ref)
                }
                client.pump()
            }
        }
        return (ref, kept)
    }

    /// The relay has answered a message. Removes it from the state file, and tells the waiting call or the application.
    func settled(_ ref: String, _ outcome: ClientSession.Outcome) {
        // Not waited for: a crash before it is written sends the message again, and gets the same answer.
        _ = writer.append([.settled(ref: ref)])
        let isAwaited = waiters[ref] != nil
        switch outcome {
        case .accepted(let message):
            if isAwaited { settle(ref, .success(message)) } else { push(QueuedEvent(event: .accepted(message))) }
        case .rejected(let message):
            if isAwaited {
                settle(ref, .failure(.refused(message.error)))
            } else {
                push(QueuedEvent(event: .rejected(message)))
            }
        }
    }

    func settle(_ ref: String, _ result: Result<AcceptedMessage, ClientError>) {
        switch waiters[ref] {
        case .waiting(let continuation):
            waiters[ref] = nil
            continuation.resume(returning: result)
        case .expected: waiters[ref] = .settled(result)
        case .settled, nil: break
        }
    }

    private func stopWaiting(for ref: String) {
        guard case .waiting(let continuation) = waiters[ref] else { return }
        waiters[ref] = nil
        continuation.resume(returning: .failure(.cancelled))
    }

    /// What a message must not overtake: the others of its conversation, however they name it.
    static func lane(of send: WireSend, sender: UserID?) -> String {
        switch send.to {
        case .conversation(let conversation): return conversation
        case .user(let text):
            guard let sender, let user = UserID(text), let id = ConversationID(between: sender, and: user) else {
                return text
            }
            return id.description
        case nil: return ""
        }
    }
}
