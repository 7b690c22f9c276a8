import BatonProtocol
import Testing

@testable import BatonClient

@Suite("The outbox")
struct OutboxTests {
    private func message(_ ref: String, to conversation: String = "c") -> OutboxMessage {
        var send = WireSend()
        send.ref = ref
        send.conversation = conversation
        send.content.text = "hello"
        return OutboxMessage(send)
    }

    private func enqueue(_ message: OutboxMessage, lane: String, in outbox: inout Outbox) -> Bool {
        outbox.enqueue(message, lane: lane)
    }

    private func settle(_ ref: String, in outbox: inout Outbox) -> String? { outbox.settled(ref)?.ref }

    private func refs(_ outbox: inout Outbox, now: Duration = .zero) -> [String] {
        var refs: [String] = []
        while let message = outbox.next(now: now) { refs.append(message.ref) }
        return refs
    }

    @Test("One message of a conversation is in flight at a time, others do not wait for it")
    func oneAConversation() {
        var outbox = Outbox()
        for (ref, conversation) in [("1", "a"), ("2", "a"), ("3", "b")] {
            #expect(enqueue(message(ref, to: conversation), lane: conversation, in: &outbox))
        }
        #expect(refs(&outbox) == ["1", "3"])
        #expect(settle("1", in: &outbox) == "1")
        #expect(refs(&outbox) == ["2"])
    }

    @Test("After a reconnect what is not settled is sent again in order")
    func reconnect() {
        var bounds = Outbox.Bounds()
        bounds.inFlightPerLane = 8
        var outbox = Outbox(bounds: bounds)
        for ref in ["1", "2", "3"] { #expect(enqueue(message(ref), lane: "c", in: &outbox)) }
        #expect(refs(&outbox) == ["1", "2", "3"])
        _ = outbox.settled("2")
        outbox.disconnected()
        #expect(refs(&outbox) == ["1", "3"])
        let inFlight = outbox.inFlight
        #expect(inFlight == 2)
    }

    @Test("A message refused for now is not overtaken, and is tried when its time has come")
    func postponed() {
        var outbox = Outbox()
        for ref in ["1", "2"] { #expect(enqueue(message(ref), lane: "c", in: &outbox)) }
        #expect(refs(&outbox) == ["1"])
        var generator = SystemRandomNumberGenerator()
        outbox.postponed("1", retryAfter: .seconds(3), now: .seconds(10), using: &generator)
        #expect(refs(&outbox, now: .seconds(12)).isEmpty)
        let deadline = outbox.nextDeadline
        #expect(deadline.map { $0 >= .seconds(13) && $0 <= .seconds(14) } == true)
        #expect(refs(&outbox, now: .seconds(14)) == ["1"])
        let none = outbox.nextDeadline
        #expect(none == nil)
        _ = outbox.settled("1")
        #expect(refs(&outbox, now: .seconds(14)) == ["2"])
    }

    @Test("Nothing goes before it is on disk, and nothing behind it either")
    func keptFirst() {
        var bounds = Outbox.Bounds()
        bounds.inFlightPerLane = 8
        var outbox = Outbox(bounds: bounds)
        _ = outbox.enqueue(message("1"), lane: "c", isKept: false)
        _ = outbox.enqueue(message("2"), lane: "c", isKept: false)
        outbox.kept("2")
        #expect(refs(&outbox).isEmpty)
        outbox.kept("1")
        #expect(refs(&outbox) == ["1", "2"])
    }

    @Test("It is bounded in messages, bytes and flight")
    func bounds() {
        var bounds = Outbox.Bounds()
        bounds.messages = 3
        bounds.inFlight = 2
        var outbox = Outbox(bounds: bounds)
        for ref in ["1", "2", "3"] { #expect(enqueue(message(ref, to: ref), lane: ref, in: &outbox)) }
        #expect(!enqueue(message("4"), lane: "c", in: &outbox))
        #expect(refs(&outbox) == ["1", "2"])
        _ = outbox.settled("1")
        #expect(refs(&outbox) == ["3"])
        #expect(enqueue(message("4"), lane: "c", in: &outbox))

        bounds.bytes = message("1").bytes
        var small = Outbox(bounds: bounds)
        #expect(enqueue(message("1"), lane: "c", in: &small))
        #expect(!enqueue(message("2"), lane: "c", in: &small))
        #expect(!enqueue(message("1"), lane: "c", in: &small))
    }
}
