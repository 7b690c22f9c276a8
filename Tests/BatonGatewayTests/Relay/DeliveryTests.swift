import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("From the inbox to the client")
struct DeliveryTests {
    @Test("A message goes to its recipient, and the receipt back", arguments: Subprotocol.allCases)
    func live(encoding: Subprotocol) {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob, encoding: encoding))
        sender.message("r1", to: bob, "héllo \u{1}")
        guard case .accepted(let accepted)? = sender.frames().first, case .event(let event)? = receiver.frames().first
        else {
            Issue.record("no answer, or no event")
            return
        }
        #expect(accepted.ref == "r1" && accepted.sequence == 1)
        #expect(event.inboxSequence == 1 && event.message.content.text == "héllo \u{1}")
        #expect(event.message.ref == "r1" && event.message.sender == alice.description)
        receiver.ack(1)
        guard case .event(let receipt)? = sender.frames().first else {
            Issue.record("no receipt")
            return
        }
        #expect(receipt.receipt.delivered == 1 && receipt.receipt.read == 0)
        receiver.send { frame in
            frame.read.conversation = accepted.conversation
            frame.read.sequence = 1
        }
        guard case .event(let read)? = sender.frames().first else {
            Issue.record("no receipt")
            return
        }
        #expect(read.receipt.read == 1)
        #expect(relay.metrics["baton_events_delivered_total hint"] == 3)
    }

    @Test("Events go to the other loops of the node and to other nodes, once each")
    func everywhere() {
        let relay = RelayFixture()
        let (second, other) = (relay.addLoop(to: relay.node), relay.addNode("b"))
        let (alice, bob) = (relay.addUser(1), relay.addUser(2, devices: [1, 2, 3]))
        let sender = relay.greet(alice)
        let receivers = [
            relay.greet(bob, device: 1), relay.greet(bob, device: 2, on: second),
            relay.greet(bob, device: 3, on: other),
        ]
        for number in 0..<5 { sender.message("r\(number)", to: bob) }
        for receiver in receivers { #expect(receiver.events() == [1, 2, 3, 4, 5]) }
    }

    @Test("The window holds so many events; the rest comes when there is room")
    func window() throws {
        let relay = RelayFixture { $0.windowEvents = 4 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(10, from: alice, to: bob)
        let receiver = relay.connect(bob)
        receiver.hello()
        #expect(receiver.events() == [1, 2, 3, 4])
        receiver.ack(1)
        #expect(receiver.events() == [], "not event by event")
        receiver.ack(2)
        #expect(receiver.events() == [5, 6])
        receiver.ack(6)
        #expect(receiver.events() == [7, 8, 9, 10])
        receiver.ack(10)
        let sender = relay.greet(alice)
        for number in 0..<6 { sender.message("r\(number)", to: bob) }
        #expect(receiver.events() == [11, 12, 13, 14])
        #expect(relay.metrics["baton_window_full_total"] > 0)
        receiver.ack(14)
        #expect(receiver.events() == [15, 16])
    }

    @Test("The window as it is configured by default is not exceeded")
    func defaultWindow() throws {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(Limits.Connection.windowEvents + 5, from: alice, to: bob)
        let receiver = relay.connect(bob)
        receiver.hello()
        #expect(receiver.events().count == Limits.Connection.windowEvents)
    }

    @Test("The window holds so many bytes, and at least one event")
    func windowBytes() throws {
        let relay = RelayFixture { $0.windowBytes = 1_000 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(4, from: alice, to: bob, text: String(repeating: "x", count: 600))
        let receiver = relay.connect(bob)
        receiver.hello()
        var position: UInt64 = 0
        while position < 4 {
            let events = receiver.events()
            #expect((1...2).contains(events.count))
            position = events.last ?? 4
            receiver.ack(position)
        }
        #expect(position == 4)
    }

    @Test("Messages that grow as JSON do not end a connection that speaks it")
    func growingJSON() throws {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(20, from: alice, to: bob, text: String(repeating: "\u{1}", count: 60 * 1024))
        let receiver = relay.connect(bob, encoding: .json)
        receiver.hello()
        var position: UInt64 = 0
        for _ in 0..<20 where position < 20 {
            position = receiver.events().last ?? position
            receiver.ack(position)
        }
        #expect(position == 20 && receiver.isConnected)
    }

    @Test("An acknowledgement of what was not sent is an error, an old one is nothing")
    func beyondSent() throws {
        let relay = RelayFixture { $0.windowEvents = 4 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(10, from: alice, to: bob)
        let receiver = relay.greet(bob)
        receiver.ack(5)
        #expect(receiver.errors() == [ErrorCode.beyondLast.rawValue])
        receiver.ack(.max)
        #expect(receiver.errors() == [ErrorCode.beyondLast.rawValue])
        receiver.ack(4)
        receiver.drop()
        receiver.ack(2)
        receiver.ack(0)
        #expect(receiver.errors() == [])
    }

    @Test("A hint that is lost is found by the next one")
    func gap() throws {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        try relay.store(2, from: alice, to: bob)
        sender.message("r", to: bob)
        #expect(receiver.events() == [1, 2, 3])
        #expect(relay.metrics["baton_hint_gaps_total"] == 1)
    }

    @Test("A page that cannot be read is asked for again, and nobody is sent away")
    func failingPages() throws {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        try relay.store(1, from: alice, to: bob)
        relay.store.failReads(with: .unavailable("disk"))
        sender.message("r", to: bob)
        relay.advance(seconds: 3)
        #expect(receiver.events() == [])
        #expect(relay.metrics["baton_drains_failed_total"] >= 3)
        relay.store.failReads(with: nil)
        relay.advance(seconds: 1)
        #expect(receiver.events() == [1, 2])
        #expect(receiver.close() == nil)
    }

    @Test("Events that were removed before they were read end the connection, so that the client resumes")
    func truncatedMeanwhile() throws {
        let relay = RelayFixture { $0.windowEvents = 2 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(10, from: alice, to: bob)
        let receiver = relay.greet(bob)
        relay.store.inner.truncateInbox(of: bob, upTo: .init(rawValue: 6))
        receiver.ack(2)
        #expect(receiver.close() == .stalled)
    }
}

@Suite("Readers that are slow, silent or wrong")
struct SlowReaderTests {
    private let relay = RelayFixture { $0.windowEvents = 4 }

    @Test("A reader that acknowledges nothing while events wait is sent away after its time")
    func stalled() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(5, from: alice, to: bob)
        let receiver = relay.greet(bob)
        for _ in 0..<(Limits.Connection.stalledReaderSeconds - 1) {
            relay.advance(seconds: 1)
            receiver.send { $0.ping.nonce = "alive" }
        }
        #expect(receiver.close() == nil)
        relay.advance(seconds: 1)
        #expect(receiver.close() == .stalled)
    }

    @Test("An acknowledgement is progress: the time begins anew")
    func progress() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(20, from: alice, to: bob)
        let receiver = relay.greet(bob)
        relay.advance(seconds: 29)
        receiver.ack(1)
        relay.advance(seconds: 29)
        #expect(receiver.close() == nil)
        relay.advance(seconds: 2)
        #expect(receiver.close() == .stalled)
    }

    @Test("The time counts from when events wait, not from the last acknowledgement long ago")
    func blockedLate() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        for _ in 0..<6 {
            relay.advance(seconds: 10)
            receiver.send { $0.ping.nonce = "alive" }
            sender.send { $0.ping.nonce = "alive" }
        }
        receiver.setWritable(false)
        sender.message("r", to: bob)
        relay.advance(seconds: 5)
        receiver.setWritable(true)
        #expect(receiver.close() == nil)
    }

    @Test("While the socket takes nothing hints are not queued; they are read from the store afterwards")
    func notWritable() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        receiver.setWritable(false)
        for number in 0..<3 { sender.message("r\(number)", to: bob) }
        #expect(receiver.events() == [])
        receiver.setWritable(true)
        #expect(receiver.events() == [1, 2, 3])
    }

    @Test("What comes in while a connection is flushed is answered with the next flush")
    func flushLetsIn() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        var frame = WireClientFrame()
        frame.ping.nonce = "n"
        let ping = RelayClient.bytes(of: try FrameCodec.encode(frame, as: .proto))
        try receiver.channel.pipeline.syncOperations.addHandler(ReceivingFlush(ping), position: .first)
        sender.message("r", to: bob)
        let kinds = receiver.frames().map { frame in
            switch frame {
            case .event: "event"
            case .pong(let pong): "pong \(pong.nonce)"
            default: "another"
            }
        }
        #expect(kinds == ["event", "pong n"])
    }

    @Test("A silent client is asked for a sign of life, each time, and lives as long as it gives one")
    func pings() {
        let client = relay.greet(relay.addUser(1))
        relay.advance(seconds: Limits.Connection.pingSeconds - 1)
        client.drop()
        #expect(client.pings == 0)
        relay.advance(seconds: 1)
        client.drop()
        #expect(client.pings == 1)
        for round in 2...5 {
            client.receive(ClientFrames.pong())
            relay.advance(seconds: Limits.Connection.pingSeconds)
            client.drop()
            #expect(client.pings == round)
        }
        #expect(client.close() == nil)
    }

    @Test("A client that stays silent is taken for dead")
    func silence() {
        let client = relay.greet(relay.addUser(1))
        relay.advance(seconds: Limits.Connection.silenceSeconds - 1)
        #expect(client.close() == nil && client.pings == 1)
        relay.advance(seconds: 1)
        #expect(client.close() == .silent)
    }

    @Test("So many wrong frames are answered, one more ends the connection")
    func wrongFrames() {
        let client = relay.greet(relay.addUser(1))
        for _ in 0..<Limits.Connection.wrongFrames {
            client.receive(ClientFrames.binary([0xff]))
            #expect(client.errors() == [ErrorCode.malformedFrame.rawValue])
        }
        #expect(client.close() == nil)
        client.receive(ClientFrames.text("{}"))
        #expect(client.errors() == [ErrorCode.wrongEncoding.rawValue])
        #expect(client.close() == .misbehaved)
        client.receive(ClientFrames.binary([0xff]))
        #expect(client.errors() == [])
    }
}

/// A socket that has something to read as soon as the first bytes have left it.
private final class ReceivingFlush: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard !bytes.isEmpty else { return }
        let buffer = ByteBuffer(bytes: bytes)
        bytes = []
        context.fireChannelRead(NIOAny(buffer))
    }
}

@available(*, unavailable) extension ReceivingFlush: Sendable {}
