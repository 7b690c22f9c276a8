import BatonCore
import BatonProtocol
import Testing

@testable import BatonClient

@Suite("A client's session")
struct ClientSessionTests {
    private static let epoch = "000000000000e"
    private static let user = UserID(rawValue: 7).description
    private static let conversation = "0000000000007-0000000000008"

    private func welcome(
        _ outcome: WireResumeOutcome = .resumed, from position: UInt64, epoch: String = epoch
    ) -> WireServerFrame {
        var frame = WireServerFrame()
        frame.welcome.node = "a"
        frame.welcome.user = Self.user
        frame.welcome.epoch = epoch
        frame.welcome.outcome = outcome
        frame.welcome.resumedFrom = position
        return frame
    }

    private func event(_ sequence: UInt64) -> WireServerFrame {
        var frame = WireServerFrame()
        frame.event.inboxSequence = sequence
        frame.event.receipt.conversation = Self.conversation
        frame.event.receipt.user = Self.user
        return frame
    }

    private func receive(_ frame: WireServerFrame, _ session: inout ClientSession) -> ClientSession.Action {
        var generator = SystemRandomNumberGenerator()
        return session.received(frame, now: .zero, using: &generator)
    }

    private func ack(isIdle: Bool, of session: inout ClientSession) -> UInt64? { session.ackDue(isIdle: isIdle) }

    private func isDelivered(_ action: ClientSession.Action, _ sequence: UInt64) -> Bool {
        if case .deliver(_, sequence) = action { true } else { false }
    }

    private func take(_ sequence: UInt64, _ session: inout ClientSession) {
        session.applied(sequence)
        session.kept(sequence)
    }

    @Test("A new device does not say where it stands; it stands where the node says")
    func firstConnection() {
        var session = ClientSession()
        let first = session.hello(client: "test").hello
        #expect(!first.hasResume)
        #expect(receive(welcome(from: 41), &session) == .greeted(node: "a", user: Self.user, resync: nil))
        #expect(isDelivered(receive(event(42), &session), 42))
        let position = session.position
        #expect(position == InboxPosition(epoch: Self.epoch, sequence: 41))
    }

    @Test("An event comes once: a known one is passed over, a hole is the node's mistake")
    func duplicatesAndGaps() {
        var session = ClientSession()
        _ = receive(welcome(from: 0), &session)
        #expect(isDelivered(receive(event(1), &session), 1))
        #expect(receive(event(1), &session) == .ignore)
        #expect(receive(event(3), &session) == .violated("event 3 after 1"))
        #expect(isDelivered(receive(event(2), &session), 2))
    }

    @Test("Only what was applied and kept is acknowledged: at once when idle, else in portions")
    func acknowledgements() {
        var session = ClientSession()
        _ = receive(welcome(from: 0), &session)
        for sequence in 1...100 { _ = receive(event(UInt64(sequence)), &session) }
        #expect(ack(isIdle: true, of: &session) == nil)
        session.applied(5)
        #expect(ack(isIdle: true, of: &session) == nil)
        session.kept(5)
        #expect(ack(isIdle: false, of: &session) == nil)
        #expect(ack(isIdle: true, of: &session) == 5)
        #expect(ack(isIdle: true, of: &session) == nil)
        take(37, &session)
        #expect(ack(isIdle: false, of: &session) == 37)
        take(1_000, &session)
        #expect(ack(isIdle: true, of: &session) == 100)
    }

    @Test("After a reconnect it resumes where the application is, and what already waits comes once")
    func resume() {
        var session = ClientSession()
        _ = receive(welcome(from: 0), &session)
        for sequence in 1...10 { _ = receive(event(UInt64(sequence)), &session) }
        take(4, &session)
        session.disconnected()
        let hello = session.hello(client: "test").hello
        #expect(hello.resume.inboxSequence == 4)
        #expect(hello.resume.epoch == Self.epoch)
        #expect(receive(event(5), &session) == .violated("a frame before welcome"))
        _ = receive(welcome(from: 4), &session)
        for sequence in 5...10 { #expect(receive(event(UInt64(sequence)), &session) == .ignore) }
        #expect(isDelivered(receive(event(11), &session), 11))
    }

    @Test(
        "What was applied before the welcome is acknowledged once the node has sent it: it refuses to hear of it before"
    )
    func appliedBeforeWelcome() {
        var session = ClientSession()
        _ = receive(welcome(from: 0), &session)
        _ = receive(event(1), &session)
        session.disconnected()
        // The hello said 0; then the application took the event.
        take(1, &session)
        _ = receive(welcome(from: 0), &session)
        #expect(ack(isIdle: true, of: &session) == nil)
        let isWaiting = session.hasUnacknowledged
        #expect(!isWaiting)
        #expect(receive(event(1), &session) == .ignore)
        #expect(ack(isIdle: true, of: &session) == 1)
    }

    @Test("A resumption with a hole is refused")
    func resumedTooFar() {
        var session = ClientSession(position: InboxPosition(epoch: Self.epoch, sequence: 4))
        #expect(receive(welcome(from: 5), &session) == .violated("resumed from 5, behind 4"))
    }

    @Test(
        "A resync is told, and counting begins where the node says",
        arguments: [
            (WireResumeOutcome.resyncTruncated, epoch, ResyncReason.truncated),
            (.resyncEpoch, "000000000000f", .epochChanged), (.resumed, "000000000000f", .epochChanged),
        ])
    func resync(outcome: WireResumeOutcome, epoch: String, reason: ResyncReason) {
        var session = ClientSession(position: InboxPosition(epoch: Self.epoch, sequence: 4))
        let action = receive(welcome(outcome, from: 90, epoch: epoch), &session)
        #expect(action == .greeted(node: "a", user: Self.user, resync: reason))
        let position = session.position
        #expect(position == InboxPosition(epoch: epoch, sequence: 90))
        #expect(ack(isIdle: true, of: &session) == nil)
        #expect(isDelivered(receive(event(91), &session), 91))
    }

    @Test("An event of a kind that is not known yet is passed over and counted")
    func unknownEvent() {
        var session = ClientSession()
        _ = receive(welcome(from: 0), &session)
        var frame = WireServerFrame()
        frame.event.inboxSequence = 1
        #expect(receive(frame, &session) == .skip(sequence: 1))
        #expect(isDelivered(receive(event(2), &session), 2))
    }

    @Test("A message is settled once, by its acceptance or by a refusal for good")
    func settling() {
        var session = ClientSession()
        var send = WireSend()
        send.ref = "r"
        send.conversation = Self.conversation
        let isQueued = session.outbox.enqueue(OutboxMessage(send), lane: "c")
        #expect(isQueued)
        _ = receive(welcome(from: 0), &session)
        let next = session.outbox.next(now: .zero)
        #expect(next?.ref == "r")

        var later = WireServerFrame()
        later.rejected.ref = "r"
        later.rejected.error = WireError(.overloaded, "")
        #expect(receive(later, &session) == .ignore)
        let waiting = session.outbox.count
        #expect(waiting == 1)

        var accepted = WireServerFrame()
        accepted.accepted.ref = "r"
        accepted.accepted.id = "\(Self.conversation).9"
        guard case .settled("r", .accepted(let message)) = receive(accepted, &session) else {
            return #expect(Bool(false))
        }
        #expect(message.id.sequence.rawValue == 9)
        #expect(receive(accepted, &session) == .ignore)
        let left = session.outbox.count
        #expect(left == 0)
    }

    @Test("What was read goes with the connection it was told on, and is told again after the next welcome")
    func reads() throws {
        let id = try #require(ConversationID(Self.conversation))
        let message = MessageID(conversation: id, sequence: ConversationSequence(rawValue: 1))
        var session = ClientSession()
        let isToldToNobody = session.read(message, now: .zero)
        #expect(!isToldToNobody)
        _ = receive(welcome(from: 0), &session)
        let isTold = session.read(message, now: .zero)
        #expect(isTold)
        session.disconnected()
        let offline = session.readsDue(now: .zero)
        #expect(offline == [])
        _ = receive(welcome(from: 0), &session)
        let again = session.readsDue(now: .zero)
        #expect(again == [message])
    }
}
