import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import NIOCore

/// What a device does with what it gets, and what it sends.
extension SimulatedDevice {
    // MARK: Applying

    func push(_ event: ClientEvent, _ sequence: UInt64) {
        queue.append((event, sequence))
        guard !isApplying else { return }
        isApplying = true
        applyLater()
    }

    private func applyLater() {
        let start = starts
        world.after(world.microseconds(applying)) { [weak self] in
            guard let self, start == starts, !queue.isEmpty else { return }
            let (event, sequence) = queue.removeFirst()
            apply(event, sequence)
            if queue.isEmpty { isApplying = false } else { applyLater() }
            acknowledge()
            pump()
        }
    }

    private func apply(_ event: ClientEvent, _ sequence: UInt64?) {
        history.applied(event, at: sequence ?? 0)
        switch event {
        case .message(let message):
            world.note(name, "applies \(SimulationNames.short(message.id)) (\(message.ref)) at \(sequence ?? 0)")
            if message.sender != user, world.happens(0.25) { read(message.id) }
        case .receipt(let receipt):
            world.note(
                name,
                "learns that \(SimulationNames.short(receipt.user)) has \(receipt.delivered), read \(receipt.read)")
        case .accepted, .rejected, .resync, .caughtUp, .presence, .typing: break
        }
        guard let sequence else { return }
        session.applied(sequence)
        session.kept(sequence)
    }

    /// Tells the relay how far the app is: at once where nothing waits, else a little later.
    func acknowledge() {
        guard let connection else { return }
        if let position = session.ackDue(isIdle: queue.isEmpty) {
            acknowledge(position, on: connection)
        } else if session.hasUnacknowledged, !isAckScheduled {
            isAckScheduled = true
            world.after(.milliseconds(50)) { [weak self] in
                guard let self else { return }
                isAckScheduled = false
                guard let connection = self.connection, let position = session.ackDue(isIdle: true) else { return }
                acknowledge(position, on: connection)
            }
        }
    }

    func acknowledge(_ position: UInt64, on connection: SimulatedConnection) {
        var frame = WireClientFrame()
        frame.ack.inboxSequence = position
        history.add(.acked(inbox: position))
        connection.send(frame)
    }

    /// - Returns: whether it could be told to anybody.
    @discardableResult
    func read(_ message: MessageID) -> Bool {
        guard let connection, session.read(message, now: world.elapsed) else { return false }
        told[message.conversation] = max(message.sequence, told[message.conversation] ?? .zero)
        tellRead(message, on: connection)
        history.add(
            .read(conversation: message.conversation.description, sequence: message.sequence.rawValue))
        return true
    }

    private func tellRead(_ message: MessageID, on connection: SimulatedConnection) {
        var frame = WireClientFrame()
        frame.read.conversation = message.conversation.description
        frame.read.sequence = message.sequence.rawValue
        connection.send(frame)
    }

    func repeatReads() {
        guard let connection else { return }
        for message in session.readsDue(now: world.elapsed) { tellRead(message, on: connection) }
    }

    // MARK: Sending

    func send(to peer: UserID) {
        sent += 1
        let number = sent
        guard let conversation = ConversationID(between: user, and: peer) else { return }
        var send = WireSend()
        send.ref = Self.ref("\(name)-\(number)", number)
        send.user = peer.description
        send.content.text = HarnessText.text(number)
        guard session.outbox.enqueue(OutboxMessage(send), lane: send.user) else { return }
        world.note(name, "sends \(send.ref) to \(SimulationNames.short(peer))")
        history.add(
            .invoked(
                ref: send.ref, conversation: conversation.description, recipients: [peer.description], body: number))
        pump()
    }

    /// Every third one has characters that JSON may escape: however it comes, it is the same message.
    private static func ref(_ name: String, _ number: UInt64) -> String {
        number.isMultiple(of: 3) ? "\(name)-\u{e9}\u{20bb7}" : name
    }

    /// Shows another user that this one types, or no longer does; worth nothing where there is no connection.
    func type(to peer: UserID, isActive: Bool) {
        guard session.isGreeted, let connection, let conversation = ConversationID(between: user, and: peer) else {
            return
        }
        var frame = WireClientFrame()
        frame.typing.conversation = conversation.description
        frame.typing.active = isActive
        history.add(
            .typed(
                conversation: frame.typing.conversation, recipients: [peer.description], isActive: isActive))
        connection.send(frame)
    }

    func pump() {
        guard session.isGreeted, let connection else { return }
        while let message = session.outbox.next(now: world.elapsed) {
            var frame = WireClientFrame()
            frame.send = message.send
            history.add(.sent(ref: message.ref, connection: UInt64(attempt)))
            connection.send(frame)
        }
        guard let deadline = session.outbox.nextDeadline, retryAt != deadline else { return }
        retryAt = deadline
        // Deadlines are finer than the loop's nanoseconds: a task that comes too early would come for ever.
        world.after(TimeAmount(max(deadline - world.elapsed, .zero)) + .nanoseconds(1)) { [weak self] in
            guard let self, retryAt == deadline else { return }
            retryAt = nil
            pump()
        }
    }
}
