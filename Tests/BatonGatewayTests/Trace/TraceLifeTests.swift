import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import Testing

@testable import BatonGateway

/// What the relay writes into its rings, and what is found there: nodes in memory, on a time that stands still.
@Suite("A message's life in the trace")
struct TraceLifeTests {
    private let relay = RelayFixture { $0.traceEvents = 256 }
    private let alice: UserID
    private let bob: UserID

    init() {
        alice = relay.addUser(1)
        bob = relay.addUser(2, devices: [1, 2])
    }

    @Test("By a hint: received, accepted, hinted, written, acknowledged, stored", arguments: [true, false])
    func byHint(asksForRef: Bool) throws {
        let other = relay.addNode("b") { $0.traceEvents = 256 }
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob, on: other))
        sender.message("r0", to: bob)
        sender.message("r1", to: bob)
        #expect(receiver.events() == [1, 2])
        receiver.ack(2)
        let id = try #require(ConversationID(between: alice, and: bob))
        let text = asksForRef ? "r1" : "\(id).2"
        let here = try look(for: text, in: relay.loop)
        #expect(here.entries.map(\.kind) == [.received, .accepted, .published])
        #expect(here.entries[1].message == "\(id).2" && here.entries[1].user == alice.description)
        #expect(here.entries[2].receivers == 1 && here.entries[2].inboxSequence == 2)
        let there = try look(for: text, in: other, here.keys)
        #expect(there.entries.map(\.kind) == [.opened, .written, .acknowledged, .stored])
        #expect(there.entries[1].path == "hint" && there.entries[1].unacknowledged == 2)
        #expect(there.entries[2].before == 0 && there.entries[2].inboxSequence == 2)
        #expect(there.entries.allSatisfy { $0.device == relay.device(1, of: bob).description })
    }

    @Test("From the store, for who was away: opened, written by a drain")
    func byDrain() throws {
        let sender = relay.greet(alice)
        let away = relay.greet(bob)
        away.channel.close(promise: nil)
        relay.run()
        sender.message("r1", to: bob)
        let before = try look(for: "r1", in: relay.loop)
        #expect(before.entries.map(\.kind) == [.opened, .closed, .received, .accepted, .published])
        #expect(before.entries.last?.receivers == 0)
        let receiver = relay.greet(bob, device: 2)
        let after = try look(for: "r1", in: relay.loop)
        #expect(after.entries.map(\.kind).suffix(2) == [.opened, .written])
        #expect(after.entries.last?.path == "drain")
        #expect(receiver.isConnected)
    }

    @Test("A full window and a socket that takes nothing are told once, until something is written")
    func blocked() throws {
        let relay = RelayFixture { settings in
            settings.traceEvents = 256
            settings.windowEvents = 2
        }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        for number in 1...5 { sender.message("r\(number)", to: bob) }
        let full = try look(for: "r4", in: relay.loop).entries.filter { $0.kind == .blocked }
        #expect(full.count == 1 && full.first?.reason == "window_full")
        #expect(full.first?.inboxSequence == 3 && full.first?.before == 2)
        let connection = try #require(relay.loop.traceConnections(of: [bob]).first)
        #expect(connection.isBlocked && connection.sent == 2 && connection.head == 5 && connection.phase == "open")
        receiver.ack(2)
        #expect(receiver.events() == [1, 2, 3, 4])
        receiver.ack(4)
        receiver.ack(5)
        receiver.drop()
        receiver.setWritable(false)
        for number in 6...7 { sender.message("r\(number)", to: bob) }
        let stuck = try look(for: "r7", in: relay.loop).entries.filter { $0.kind == .blocked }
        #expect(stuck.count == 1 && stuck.first?.reason == "not_writable")
        receiver.setWritable(true)
        #expect(try look(for: "r7", in: relay.loop).entries.map(\.kind).contains(.written))
    }

    @Test("A hint that was lost is told as missed when the sweep finds it")
    func missed() throws {
        let other = relay.addNode("b") { $0.traceEvents = 256 }
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob, on: other))
        relay.cluster.loses = { _, _ in true }
        sender.message("r1", to: bob)
        #expect(receiver.events() == [])
        relay.cluster.loses = { _, _ in false }
        let keys = try look(for: "r1", in: relay.loop).keys
        #expect(try look(for: "r1", in: other, keys).entries.map(\.kind) == [.opened])
        relay.advance(seconds: Limits.Node.backstopMaximumSeconds + 2)
        let entries = try look(for: "r1", in: other, keys).entries
        #expect(entries.map(\.kind) == [.opened, .missed, .written])
    }

    @Test("A rejection is found by its ref, with the error's code; a retry is told as a repeat")
    func rejectedAndRepeated() throws {
        let sender = relay.greet(alice)
        sender.message("bad", to: alice)
        let entries = try look(for: "bad", in: relay.loop).entries
        #expect(entries.map(\.kind) == [.rejected])
        #expect(entries.first?.reason == "same_user")
        for _ in 0..<2 { sender.message("r1", to: bob) }
        let repeated = try look(for: "r1", in: relay.loop).entries.filter { $0.kind == .accepted }
        #expect(repeated.map(\.reason) == [nil, "repeat"])
        #expect(try look(for: "never", in: relay.loop).entries.isEmpty)
    }

    @Test("A ref that several devices used finds all of their messages")
    func sameRef() throws {
        let (sender, second) = (relay.greet(alice), relay.greet(bob))
        sender.message("r1", to: bob)
        second.message("r1", to: alice)
        let accepted = try look(for: "r1", in: relay.loop).entries.filter { $0.kind == .accepted }
        #expect(Set(accepted.compactMap(\.message)).count == 2)
        let first = try #require(accepted.first?.message)
        let one = try look(for: first, in: relay.loop).entries.filter { $0.kind == .accepted }
        #expect(one.map(\.message) == [first])
    }

    @Test("Receipts are not traced, nor what acknowledges nothing else")
    func receipts() {
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        sender.message("r1", to: bob)
        receiver.ack(1)
        let written = relay.loop.trace.written
        #expect(sender.frames().count == 2)
        sender.ack(1)
        #expect(relay.loop.trace.written == written)
    }

    @Test("A loop without a trace answers nothing, and works")
    func off() throws {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        sender.message("r1", to: bob)
        #expect(receiver.events() == [1])
        #expect(relay.loop.trace.written == 0)
        #expect(try look(for: "r1", in: relay.loop).entries.isEmpty)
    }

    @Test("A ring is looked through in slices of a limited size")
    func slices() throws {
        let sender = relay.greet(alice)
        for number in 0..<20 { sender.message("r\(number)", to: bob) }
        var scan = TraceScan(try #require(TraceKeys("r19")))
        var (position, slices): (UInt64?, Int) = (0, 0)
        while let start = position {
            position = scan.look(at: relay.loop.trace, from: start, limit: 7, loop: 0)
            if let position { #expect(position == start + 7) }
            slices += 1
        }
        #expect(slices == Int(relay.loop.trace.written + 6) / 7)
        #expect(scan.entries.contains { $0.kind == .accepted })
    }

    /// What a loop's ring has, gone through as often as a node does.
    private func look(for text: String, in loop: RelayLoop, _ more: TraceKeys? = nil) throws -> TraceScan {
        var scan = TraceScan(try #require(more?.forOthers ?? TraceKeys(text)))
        for _ in 0..<TraceScan.passes {
            scan.begin(again: scan.keys)
            #expect(scan.look(at: loop.trace, from: 0, limit: .max, loop: 0) == nil)
        }
        return scan
    }
}
