import BatonCore
import BatonProtocol
import BatonTestKit
import Foundation
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("Sends")
struct SendTests {
    private let relay = RelayFixture()

    @Test("Sends are answered in their order, and those of one piece are one submission")
    func order() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        let before = relay.store.submissions
        client.sendTogether((0..<20).map { number in { RelayClient.fill(&$0, "r\(number)", bob, "m") } })
        let refs = client.frames().compactMap { frame -> String? in
            if case .accepted(let accepted) = frame { accepted.ref } else { nil }
        }
        #expect(refs == (0..<20).map { "r\($0)" })
        #expect(relay.store.submissions == before + 1)
    }

    @Test("A retry gets the first outcome again, and no second event")
    func retry() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (client, receiver) = (relay.greet(alice), relay.greet(bob))
        client.message("r", to: bob)
        client.message("r", to: bob)
        let answers = client.frames()
        #expect(answers.count == 2 && answers.first == answers.last)
        client.message("r", to: bob, "something else")
        #expect(client.errors() == [ErrorCode.refReused.rawValue])
        #expect(receiver.events() == [1])
        #expect(relay.metrics["baton_messages_repeated_total"] == 1)
    }

    @Test("A retry tells the recipients of a message that its first node told to nobody", arguments: [false, true])
    func untold(isElsewhere: Bool) throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let other = isElsewhere ? relay.addNode("b") : relay.loop
        let (client, receiver) = (relay.greet(alice), relay.greet(bob, on: other))
        try relay.store(2, from: alice, to: bob)
        #expect(receiver.events() == [])
        client.message("s2", to: bob, "stored")
        guard case .accepted(let accepted)? = client.frames().first else {
            Issue.record("not accepted")
            return
        }
        #expect(accepted.sequence == 2 && receiver.events() == [1, 2])
        #expect(relay.metrics["baton_hint_missed_total"] == 0, "nobody had to look for them")
    }

    @Test("However often a client repeats itself, it is one hint a commit, and nobody reads for it")
    func repeatedForEver() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (client, receiver) = (relay.greet(alice), relay.greet(bob, on: relay.addNode("b")))
        client.message("r", to: bob)
        #expect(receiver.events() == [1])
        let (hints, drains) = (relay.metrics["baton_hints_published_total"], relay.metrics["baton_drains_total"])
        client.sendTogether(
            (0..<Limits.Connection.sendsInFlight).map { _ in { RelayClient.fill(&$0, "r", bob, "hello") } })
        #expect(relay.metrics["baton_messages_repeated_total"] == Int64(Limits.Connection.sendsInFlight))
        #expect(relay.metrics["baton_hints_published_total"] == hints + 1)
        #expect(relay.metrics["baton_drains_total"] == drains && receiver.events() == [])
    }

    @Test("A store that fails rejects by the ref, with an error that may be tried again")
    func storeFails() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        for failure: StoreError in [.overloaded, .diskFull, .unavailable("x"), .closed] {
            relay.store.inner.failOperations(with: failure)
            client.message("r", to: bob)
            guard case .rejected(let rejected)? = client.frames().first else {
                Issue.record("not rejected")
                continue
            }
            #expect(rejected.ref == "r" && rejected.error.retryable && rejected.error.retryAfterMs > 0)
        }
        relay.store.inner.failOperations(with: nil)
        client.message("r", to: bob)
        #expect(client.errors() == [] && client.close() == nil)
    }

    @Test("A media type may stand beside text and be absent beside data; both arrive as they were sent")
    func mediaTypes() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (client, receiver) = (relay.greet(alice), relay.greet(bob))
        var contents = [WireContent](repeating: WireContent(), count: 4)
        contents[0].text = "a"
        contents[1].text = "*a*"
        contents[1].mediaType = "text/markdown"
        contents[2].data = Data([0])
        contents[3].data = Data([0, 1])
        contents[3].mediaType = "not a media type"
        for (number, content) in contents.enumerated() {
            client.send { frame in
                RelayClient.fill(&frame, "r\(number)", bob, "")
                frame.send.content = content
            }
        }
        #expect(client.errors() == [])
        let arrived = receiver.frames().compactMap {
            if case .event(let event) = $0 { event.message.content } else { nil }
        }
        #expect(arrived == contents)
    }

    @Test("Each wrong send is rejected by its ref and says which field, and costs no connection")
    func wrongSends() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        let long = String(repeating: "r", count: Limits.Message.refBytes + 1)
        let cases: [(ErrorCode, (inout WireSend) -> Void)] = [
            (.invalidField, { $0.ref = long }),
            (.missingField, { $0.clearContent() }), (.missingField, { $0.content.text = "" }),
            (.missingField, { $0.to = nil }), (.invalidField, { $0.user = "bob" }),
            (.invalidField, { $0.conversation = "x" }), (.sameUser, { $0.user = alice.description }),
            (.unknownUser, { $0.user = UserID(rawValue: 99).description }),
            (.unknownConversation, { $0.conversation = ConversationID(group: 5).description }),
        ]
        for (code, change) in cases {
            var ref = ""
            client.send { frame in
                RelayClient.fill(&frame, "r", bob, "m")
                change(&frame.send)
                ref = frame.send.ref
            }
            guard case .rejected(let rejected)? = client.frames().first else {
                Issue.record("not rejected: \(code)")
                continue
            }
            #expect(rejected.ref == ref && rejected.error.code == code.rawValue && rejected.error.frame == "")
        }
        #expect(client.close() == nil)
    }

    @Test("A send without a ref cannot be told by it: it is answered by an error, which counts")
    func withoutRef() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        for _ in 0...Limits.Connection.wrongFrames { client.message("", to: bob) }
        guard case .error(let error)? = client.frames().first else {
            Issue.record("no error")
            return
        }
        #expect(
            error.frame == "send" && error.field == "ref" && error.message == "ref has 0 bytes; 1 to 64 are allowed")
        #expect(client.close() == .misbehaved)
    }

    @Test("A content of the size that is allowed is taken, one byte more is not")
    func contentSize() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        client.message("bound", to: bob, String(repeating: "x", count: Limits.Message.contentBytes))
        #expect(client.errors() == [])
        client.message("over", to: bob, String(repeating: "x", count: Limits.Message.contentBytes + 1))
        #expect(client.errors() == [ErrorCode.tooLarge.rawValue])
        client.send { frame in
            RelayClient.fill(&frame, "type", bob, String(repeating: "x", count: Limits.Message.contentBytes))
            frame.send.content.mediaType = "t"
        }
        #expect(client.errors() == [ErrorCode.tooLarge.rawValue])
    }

    @Test("Reading stops while so many sends wait for their commit, and goes on when half of them are done")
    func sendsInFlight() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        relay.store.holdCommits()
        let limit = Limits.Connection.sendsInFlight
        client.sendTogether((0..<(limit - 1)).map { number in { RelayClient.fill(&$0, "r\(number)", bob, "m") } })
        client.channel.read()
        #expect(client.reads.count == 1)
        client.message("last", to: bob)
        client.channel.read()
        #expect(client.reads.count == 1, "held")
        relay.store.releaseCommits()
        relay.run()
        #expect(client.reads.count == 2)
        #expect(client.frames().count == limit)
    }

    @Test("Read marks that wait for their commit hold the reading as well")
    func readMarksInFlight() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let client = relay.greet(alice)
        client.message("r", to: bob)
        client.drop()
        relay.store.holdCommits()
        let conversation = ConversationID(between: alice, and: bob)?.description ?? ""
        client.sendTogether(
            (0..<Limits.Connection.sendsInFlight).map { _ in
                { frame in
                    frame.read.conversation = conversation
                    frame.read.sequence = 1
                }
            })
        client.channel.read()
        #expect(client.reads.count == 0)
        relay.store.releaseCommits()
        relay.run()
        #expect(client.reads.count == 1)
    }

    @Test("A connection that is gone before its commit harms nobody, and the message arrives")
    func goneBeforeCommit() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (client, receiver) = (relay.greet(alice), relay.greet(bob))
        relay.store.holdCommits()
        client.message("r", to: bob)
        client.channel.close(promise: nil)
        relay.store.releaseCommits()
        relay.run()
        #expect(receiver.events() == [1])
    }

    @Test("One acknowledgement is under way at a time; those that come meanwhile become one")
    func acknowledgements() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(10, from: alice, to: bob)
        let client = relay.greet(bob)
        relay.store.holdCommits()
        let before = relay.store.submissions
        for position in 1...10 { client.ack(UInt64(position)) }
        #expect(relay.store.submissions == before + 1)
        relay.store.releaseCommits()
        relay.advance(seconds: 1)
        #expect(relay.store.submissions == before + 2)
        #expect(relay.metrics["baton_events_acknowledged_total"] == 2)
    }

    @Test("An acknowledgement goes with a commit that is made anyway, and has one of its own when its time is up")
    func acknowledgementsRideAlong() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(2, from: alice, to: bob)
        let client = relay.greet(bob)
        let before = relay.store.submissions
        client.send { $0.ack.inboxSequence = 1 }
        #expect(relay.store.submissions == before)
        client.message("r", to: alice)
        #expect(relay.store.submissions == before + 1)
        #expect(relay.metrics["baton_events_acknowledged_total"] == 1)
        client.send { $0.ack.inboxSequence = 2 }
        let delay = TimeAmount.milliseconds(Limits.Connection.acknowledgementDelayMilliseconds)
        relay.eventLoop.advanceTime(by: delay - .nanoseconds(1))
        #expect(relay.store.submissions == before + 1)
        relay.eventLoop.advanceTime(by: .nanoseconds(1))
        #expect(relay.store.submissions == before + 2)
    }

    @Test("A device that was revoked learns it by its next send, read mark or acknowledgement")
    func revokedDevice() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(1, from: bob, to: alice)
        let acting: [(RelayClient) -> Void] = [
            { $0.message("r", to: bob) }, { $0.ack(2) },
            { client in
                client.send { frame in
                    frame.read.conversation = ConversationID(between: alice, and: bob)?.description ?? ""
                    frame.read.sequence = 1
                }
            },
        ]
        let clients = (UInt64(11)...13).map { number in
            relay.store.inner.addDevice(relay.device(number, of: alice), of: alice)
            return relay.greet(alice, device: number)
        }
        relay.greet(bob).message("m", to: alice)
        for (client, act) in zip(clients, acting) {
            client.drop()
            relay.store.inner.revoke(client.handler.principal.device, of: alice)
            act(client)
            #expect(client.close() == .revoked)
        }
    }

    @Test("A device that gave way to a new login learns that, when it connects and by its next send")
    func replacedDevice() throws {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let device = relay.device(11, of: alice)
        relay.store.inner.addDevice(device, of: alice)
        let connected = relay.greet(alice, device: 11)
        relay.store.inner.revoke(device, of: alice, because: .replaced)
        connected.message("r", to: bob)
        let rejections = connected.frames().compactMap {
            if case .rejected(let rejected) = $0 { rejected } else { nil }
        }
        #expect(rejections.map(\.error.code) == [ErrorCode.deviceReplaced.rawValue])
        #expect(connected.close() == .replaced)
        let returning = relay.connect(alice, device: 11)
        returning.hello()
        #expect(returning.close() == .replaced)
    }
}
