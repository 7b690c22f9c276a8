import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import NIOCore

/// What no sound client does, and what the relay must stand nevertheless.
extension ChaosDevice {
    /// For handshakes and answers.
    private static let answerLimit = TimeAmount.seconds(5)
    /// For two displacements.
    private static let displacementLimit = TimeAmount.seconds(20)
    /// For the outbox to become empty.
    private static let outboxLimit = Duration.seconds(3)
    /// Tries of a message that was not answered at all.
    private static let attempts = 5

    // MARK: One message on two nodes at once

    /// Sends a message with the same ref on two connections to different nodes at the same moment, without the SDK,
    /// and again on one until it is answered. The two connections differ in their encodings.
    func sendTwice(_ number: UInt64, to peer: UserID, using generator: inout SeededGenerator) async {
        let addresses = client.configuration.addresses.shuffled(using: &generator)
        let ref = DeviceID.random(using: &generator).description
        guard let conversation = ConversationID(between: user, and: peer), !addresses.isEmpty,
            let token = await client.currentTokens?.accessToken, await outboxBecomesEmpty()
        else { return }
        await client.disconnect()
        progress.invoked()
        journal.invoked(ref, in: conversation, to: peer, body: number, at: history.now)
        var frame = WireClientFrame()
        frame.send.ref = ref
        frame.send.user = peer.description
        frame.send.content.text = HarnessText.text(number)

        var isAnswered = await send(frame, at: Array(addresses.prefix(2)), token)
        for attempt in 0..<Self.attempts where !isAnswered {
            isAnswered = await send(frame, at: [addresses[attempt % addresses.count]], token)
        }
        if !isAnswered {
            journal.gaveUp(ref)
            progress.failed()
        }
        try? await client.connect()
    }

    /// The SDK's messages that are under way must not be overtaken.
    private func outboxBecomesEmpty() async -> Bool {
        let (end, clock) = (ContinuousClock.now + Self.outboxLimit, ContinuousClock())
        while await client.outboxCount > 0 {
            guard clock.now < end, (try? await clock.sleep(for: .milliseconds(20))) != nil else { return false }
        }
        return true
    }

    /// Opens the connections, and when each of them is open or has failed sends on all that are open.
    ///
    /// - Returns: whether it is known what became of the message.
    private func send(_ frame: WireClientFrame, at addresses: [RelayAddress], _ token: String) async -> Bool {
        var hello = WireClientFrame()
        hello.hello.client = "baton-chaos-twin"
        let ref = frame.send.ref
        let connections = RawConnections(
            to: addresses, speaking: behaviour.rawEncodings, accessToken: token, journal, within: Self.answerLimit)
        var undecided = Set(connections.numbers)
        var unanswered: Set<UInt64> = []
        var handles: [UInt64: RawConnection.Handle] = [:]
        var (isSent, isAnswered) = (false, false)
        for await (number, event) in connections.events {
            switch event {
            case .opened(let handle): handles[number] = handle
            case .accepted(ref, let id):
                journal.accepted(ref, as: id)
                if !isAnswered { progress.accepted(id, from: user) }
                isAnswered = true
            case .rejected(ref, let error) where !error.isRetryable:
                journal.rejected(ref, error.codeText)
                if !isAnswered { progress.failed() }
                isAnswered = true
            case .rejected(ref, _): break
            case .ended: handles[number] = nil
            case .welcomed, .accepted, .rejected: continue
            }
            if undecided.remove(number) == nil { unanswered.remove(number) }
            if undecided.isEmpty, !isSent {
                isSent = true
                unanswered = Set(handles.keys)
                for (number, handle) in handles {
                    history.append(.sent(ref: ref, connection: number))
                    handle.write([hello, frame])
                }
            }
            if isSent, unanswered.isEmpty { break }
        }
        for handle in handles.values { handle.close() }
        return isAnswered
    }

    // MARK: Two connections

    /// Opens a second connection while the client has one. The newer one displaces the older one: first the client's,
    /// and then this one, when the client connects again.
    func connectTwice(using generator: inout SeededGenerator) async {
        guard let address = client.configuration.addresses.randomElement(using: &generator),
            let token = await client.currentTokens?.accessToken
        else { return }
        var hello = WireClientFrame()
        hello.hello.client = "baton-chaos-second"
        let connections = RawConnections(
            to: [address], speaking: behaviour.rawEncodings, accessToken: token, journal,
            within: Self.displacementLimit)
        var handle: RawConnection.Handle?
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await state in await client.states() where state == .offline(.displaced) {
                    try? await client.connect()
                    return
                }
            }
            for await (_, event) in connections.events {
                guard case .opened(let opened) = event else { continue }
                handle = opened
                opened.write([hello])
            }
            group.cancelAll()
        }
        handle?.close()
        try? await client.connect()
    }
}
