import BatonClient
import BatonCore

/// One device under test: a client of the SDK that sends, applies, reads, and writes down all of it.
struct ChaosDevice: Sendable {
    let index: Int
    let user: UserID
    let device: DeviceID
    /// Whom it writes to.
    let peers: [UserID]
    let client: BatonClient
    let history: HistoryFile
    let progress: ChaosProgress

    /// Messages that may wait in the outbox before the device waits with further ones.
    private static let outboxMessages = 256
    /// One message in so many is read as soon as it is applied.
    private static let readEvery: UInt64 = 4

    // MARK: Applying

    /// Applies what comes until the client is closed. A line is written before the next event is asked for, that is
    /// before the device acknowledges.
    func apply() async {
        while let (event, inbox) = await client.nextEntry() {
            switch event {
            case .message(let message): await apply(message, at: inbox ?? 0)
            case .receipt(let receipt):
                history.append(
                    .receipt(
                        HistoryRecord.Receipt(
                            inbox: inbox ?? 0, conversation: receipt.conversation.description,
                            user: receipt.user.description, delivered: receipt.delivered.rawValue,
                            read: receipt.read.rawValue)))
                progress.received(receipt, on: index, of: user)
            case .accepted(let accepted):
                history.append(
                    .ok(
                        ref: accepted.ref, conversation: accepted.id.conversation.description,
                        sequence: accepted.id.sequence.rawValue))
                progress.accepted(accepted.id, from: user)
            case .rejected(let rejected):
                history.append(.failed(ref: rejected.ref, code: rejected.error.codeText))
                progress.failed()
            case .resync(let reason): history.append(.resync("\(reason)"))
            case .caughtUp, .presence, .typing: break
            }
        }
    }

    private func apply(_ message: Message, at inbox: UInt64) async {
        history.append(
            .applied(
                HistoryRecord.Applied(
                    inbox: inbox, conversation: message.id.conversation.description,
                    sequence: message.id.sequence.rawValue, device: message.device.description, ref: message.ref,
                    body: Self.number(in: message.content))))
        progress.applied(message, by: user, isOwn: message.device == device)
        if message.sender != user, message.id.sequence.rawValue % Self.readEvery == 0 { await read(message.id) }
    }

    /// Tells the relay that the user has read so far; written down only where it was told to somebody.
    @discardableResult
    func read(_ message: MessageID) async -> Bool {
        guard await client.markRead(message) else { return false }
        history.append(.read(conversation: message.conversation.description, sequence: message.sequence.rawValue))
        return true
    }

    // MARK: The connection

    func watchConnection() async {
        for await state in await client.states() {
            history.append(.connection(Self.text(state)))
            if case .online = state {
                progress.connection(of: index, isOnline: true)
            } else {
                progress.connection(of: index, isOnline: false)
            }
        }
    }

    private static func text(_ state: ConnectionState) -> String {
        switch state {
        case .offline(let reason): "offline: \(reason)"
        case .connecting(let address): "connecting to \(address)"
        case .catchingUp(let node): "catching up with \(node)"
        case .online(let node): "online with \(node)"
        case .waiting(let time, let why): "waiting \(time): \(why)"
        }
    }

    // MARK: Sending

    /// Sends at a rate until the time is up. What cannot be kept up with is left out: the run then has less load, and
    /// says so.
    func send(perSecond rate: Double, for seconds: Double, using seed: SeededGenerator) async throws {
        var generator = seed
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var next = clock.now + .seconds(Double.random(in: 0...1, using: &generator) / rate)
        var number: UInt64 = 0
        while next < end {
            try await clock.sleep(until: next)
            next = max(next + .seconds(Double.random(in: 0.5...1.5, using: &generator) / rate), clock.now - .seconds(1))
            guard let peer = peers.randomElement(using: &generator) else { return }
            let padding = Int.random(in: 0...200, using: &generator)
            guard await client.outboxCount < Self.outboxMessages else { continue }
            number += 1
            await send(number, padding: padding, to: peer)
        }
    }

    private func send(_ number: UInt64, padding: Int, to peer: UserID) async {
        guard let conversation = ConversationID(between: user, and: peer) else { return }
        let began = history.now
        progress.invoked()
        do {
            let text = "\(number) \(String(repeating: ".", count: padding))"
            let ref = try await client.enqueue(text, to: .user(peer))
            history.append(
                .invoked(
                    ref: ref, conversation: conversation.description, recipients: [peer.description], body: number),
                at: began)
        } catch {
            progress.failed()
        }
    }

    /// The number that a message of a harness begins with.
    private static func number(in content: Content) -> UInt64? {
        guard case .text(let text) = content else { return nil }
        return text.split(separator: " ", maxSplits: 1).first.flatMap { UInt64($0) }
    }
}
