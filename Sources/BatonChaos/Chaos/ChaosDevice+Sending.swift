import BatonClient
import BatonCore
import BatonHistory

/// What a device does of its own accord while it is under load.
extension ChaosDevice {
    /// Messages that may wait in the outbox before the device waits with further ones.
    private static let outboxMessages = 256

    /// One message to each peer, so that they know each other.
    func greet() async -> UInt64 {
        var number: UInt64 = 0
        for peer in peers {
            number += 1
            await send(number, to: peer)
        }
        return number
    }

    /// Acts at a rate until the time is up. What cannot be kept up with is left out: the run then has less load, and
    /// says so.
    ///
    /// - Parameter first: the number of the last message before.
    func act(after first: UInt64, perSecond rate: Double, for seconds: Double, using seed: SeededGenerator) async throws
    {
        var generator = seed
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var next = clock.now + .seconds(Double.random(in: 0...1, using: &generator) / rate)
        var number = first
        while next < end {
            try await clock.sleep(until: next)
            next = max(next + .seconds(Double.random(in: 0.5...1.5, using: &generator) / rate), clock.now - .seconds(1))
            guard let peer = peers.randomElement(using: &generator) else { return }
            let act = behaviour.act(using: &generator)
            guard await client.outboxCount < Self.outboxMessages else { continue }
            number += 1
            switch act {
            case .send: await send(number, to: peer)
            case .resend:
                await send(number, to: peer)
                await client.reconnect()
            case .reconnect:
                await client.reconnect()
                await send(number, to: peer)
            case .twin: await sendTwice(number, to: peer, using: &generator)
            case .second:
                await connectTwice(using: &generator)
                await send(number, to: peer)
            case .pause:
                let pause = Double.random(in: behaviour.pauseSeconds, using: &generator)
                // Over before the load is, so that what comes after it is not about this.
                journal.pause(until: min(clock.now + .seconds(min(pause, seconds / 4)), end))
                await send(number, to: peer)
            case .typing:
                await type(using: &generator)
                await send(number, to: peer)
            case .unread:
                await askUnread()
                await send(number, to: peer)
            }
        }
    }

    /// Shows somebody that the user types, or no longer does. It is written down before it leaves, since the other one
    /// may be told at once.
    private func type(using generator: inout SeededGenerator) async {
        let strangers = everybody.filter { !peers.contains($0) }
        let others = [peers, everybody, strangers][Int.random(in: 0...2, using: &generator)]
        guard let other = others.randomElement(using: &generator),
            let conversation = ConversationID(between: user, and: other)
        else { return }
        let isActive = Bool.random(using: &generator)
        history.append(
            .typed(conversation: conversation.description, recipients: [other.description], isActive: isActive))
        await client.typing(isActive, in: conversation)
    }

    func send(_ number: UInt64, to peer: UserID) async {
        guard let conversation = ConversationID(between: user, and: peer) else { return }
        let began = history.now
        progress.invoked()
        do {
            let ref = try await client.enqueue(HarnessText.text(number), to: .user(peer))
            journal.invoked(ref, in: conversation, to: peer, body: number, at: began)
        } catch {
            progress.failed()
        }
    }
}
