import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("From the socket to the welcome")
struct HelloTests {
    private let relay = RelayFixture()

    @Test("A client that says nothing is sent away after its time, not before")
    func helloDeadline() {
        let client = relay.connect(relay.addUser(1))
        relay.advance(seconds: Limits.Connection.handshakeSeconds - 1)
        #expect(client.close() == nil)
        relay.advance(seconds: 1)
        #expect(client.close() == .helloExpected)
        #expect(relay.metrics["baton_connections_closed_total helloExpected"] == 0, "counted when the socket is gone")
        relay.advance(seconds: Limits.Connection.closeSeconds)
        #expect(!client.isConnected && relay.node.connectionCount == 0)
        #expect(relay.metrics["baton_connections_closed_total helloExpected"] == 1)
    }

    @Test("Another frame before the hello is answered and ends the connection")
    func helloFirst() {
        let client = relay.connect(relay.addUser(1))
        client.send { $0.ack.inboxSequence = 1 }
        #expect(client.errors() == [ErrorCode.helloExpected.rawValue])
        #expect(client.close() == .helloExpected)
    }

    @Test("Bytes that are no frame before the hello end the connection too")
    func garbageFirst() {
        let client = relay.connect(relay.addUser(1))
        client.receive(ClientFrames.binary([0xff, 0xff]))
        #expect(client.errors() == [ErrorCode.malformedFrame.rawValue])
        #expect(client.close() == .helloExpected)
    }

    @Test("A wrong hello is answered by what is wrong with it, and so is the client that shows close reasons only")
    func wrongHello() {
        let hellos = [
            (#"{"hello":{"client":7}}"#, "client has to be a string, and is 7"),
            (
                #"{"hello":{"resume":{"epoch":"x"}}}"#,
                #"resume.epoch has to be what welcome said, 13 characters, and is "x""#
            ),
            (
                #"{"hello":{"resume":{"epoch":"0000000000001","inboxSequence":"9223372036854775808"}}}"#,
                "resume.inboxSequence has to be from 0 to 9223372036854775807, and is 9223372036854775808"
            ),
            (
                #"{"hello":{"client":"\#(String(repeating: "x", count: 65))"}}"#,
                "client has 65 bytes; at most 64 are allowed"
            ),
            (#"{"hello":"#, "the text is not JSON: it ends at byte 9, where a value belongs"),
            (#"{"ack":{"inboxSequence":"1"}}"#, "the first frame must be a hello"),
        ]
        for (text, message) in hellos {
            let client = relay.connect(relay.addUser(1), encoding: .json)
            client.receive(payloads: [Array(text.utf8)])
            guard case .error(let error)? = client.frames().first else {
                Issue.record("no error: \(text)")
                continue
            }
            #expect(error.message == message && error.frame == (text.contains("ack") ? "ack" : "hello"))
            #expect(client.close() == .helloExpected && client.closeReason == message)
        }
    }

    @Test("A second hello is refused, counts as a wrong frame, and costs nothing else")
    func secondHello() {
        let client = relay.greet(relay.addUser(1))
        for _ in 0..<Limits.Connection.wrongFrames { client.hello() }
        #expect(client.errors() == (0..<16).map { _ in ErrorCode.alreadyGreeted.rawValue })
        #expect(client.close() == nil)
        client.hello()
        #expect(client.close() == .misbehaved)
    }

    @Test("A new device is welcomed and has caught up", arguments: Subprotocol.allCases)
    func welcome(encoding: Subprotocol) throws {
        let user = relay.addUser(1)
        let client = relay.connect(user, encoding: encoding)
        client.hello()
        let frames = client.frames()
        #expect(frames.count == 2)
        guard case .welcome(let welcome) = frames.first, case .caughtUp(let caughtUp) = frames.last else {
            Issue.record("\(frames)")
            return
        }
        #expect(welcome.user == user.description && welcome.device == relay.device(1, of: user).description)
        #expect(welcome.node == "a" && welcome.outcome == .resumed && Epoch(welcome.epoch) != nil)
        #expect(welcome.windowEvents == UInt32(Limits.Connection.windowEvents))
        #expect(caughtUp.inboxSequence == 0)
        #expect(relay.cluster.sessions(of: user).map(\.client) == ["test"])
    }

    @Test("What a client calls itself is made printable, and refused where it is too long")
    func clientName() {
        let user = relay.addUser(1)
        let client = relay.connect(user)
        client.send { $0.hello.client = "a b\n\u{1b}ü" }
        client.drop()
        #expect(relay.cluster.sessions(of: user).map(\.client) == ["a_b____"])
        let bound = relay.connect(relay.addUser(2))
        bound.send { $0.hello.client = String(repeating: "x", count: Limits.Connection.clientNameLength) }
        #expect(bound.close() == nil)
        let long = relay.connect(relay.addUser(3))
        long.send { $0.hello.client = String(repeating: "x", count: Limits.Connection.clientNameLength + 1) }
        #expect(long.errors() == [ErrorCode.invalidField.rawValue])
    }

    struct Standing: Sendable {
        var head: UInt64, truncated: UInt64, cursor: UInt64
        /// Nil where the client says nothing; the epoch is the inbox' own where `isSameEpoch`.
        var resume: UInt64?
        var isSameEpoch = true
        var start: UInt64
        var outcome: WireResumeOutcome
    }

    @Test(
        "Where delivery begins follows from what the client and the store know",
        arguments: [
            Standing(head: 9, truncated: 0, cursor: 4, resume: nil, start: 4, outcome: .resumed),
            Standing(head: 9, truncated: 4, cursor: 4, resume: nil, start: 4, outcome: .resumed),
            Standing(head: 9, truncated: 6, cursor: 4, resume: nil, start: 6, outcome: .resyncTruncated),
            Standing(head: 9, truncated: 2, cursor: 4, resume: 7, start: 7, outcome: .resumed),
            Standing(head: 9, truncated: 2, cursor: 4, resume: 2, start: 2, outcome: .resumed),
            Standing(head: 9, truncated: 2, cursor: 4, resume: 9, start: 9, outcome: .resumed),
            Standing(head: 9, truncated: 2, cursor: 4, resume: 1, start: 4, outcome: .resyncTruncated),
            Standing(head: 9, truncated: 2, cursor: 4, resume: 10, start: 4, outcome: .resyncEpoch),
            Standing(head: 9, truncated: 2, cursor: 4, resume: 7, isSameEpoch: false, start: 4, outcome: .resyncEpoch),
            Standing(head: 0, truncated: 0, cursor: 0, resume: 0, start: 0, outcome: .resumed),
            Standing(head: 0, truncated: 0, cursor: 0, resume: 5, start: 0, outcome: .resyncEpoch),
        ])
    func resumption(_ standing: Standing) {
        let epoch = Epoch(rawValue: 77)
        let state = InboxState(
            epoch: epoch, head: .init(rawValue: standing.head), truncated: .init(rawValue: standing.truncated),
            cursor: .init(rawValue: standing.cursor))
        let resume = standing.resume.map {
            RelayHandler.Resume(
                epoch: standing.isSameEpoch ? epoch : Epoch(rawValue: 78), position: .init(rawValue: $0))
        }
        let (start, outcome) = RelayHandler.resumption(resume, state)
        #expect(start.rawValue == standing.start && outcome == standing.outcome)
    }

    @Test("What a client resumes from is acknowledged, because its acknowledgement may have been lost")
    func resumeAcknowledges() throws {
        let (sender, user) = (relay.addUser(1), relay.addUser(2))
        try relay.store(5, from: sender, to: user)
        let client = relay.connect(user)
        client.hello(resume: (Epoch(rawValue: user.rawValue ^ 0xfeed), 3))
        #expect(client.events() == [4, 5])
        relay.advance(seconds: 1)
        relay.store.inner.inboxState(of: user, device: relay.device(1, of: user)) { result in
            #expect((try? result.get())??.cursor.rawValue == 3)
        }
    }

    @Test("A device is believed where it stands, up to the inbox' end, also where this node never sent so much")
    func resumeBeyondWhatWasSent() throws {
        let (sender, user) = (relay.addUser(1), relay.addUser(2))
        try relay.store(5, from: sender, to: user)
        let client = relay.connect(user)
        client.hello(resume: (Epoch(rawValue: user.rawValue ^ 0xfeed), 5))
        guard case .welcome(let welcome)? = client.frames().first else {
            Issue.record("not welcomed")
            return
        }
        #expect(welcome.outcome == .resumed && welcome.resumedFrom == 5)
        relay.advance(seconds: 1)
        relay.store.inner.inboxState(of: user, device: relay.device(1, of: user)) { result in
            #expect((try? result.get())??.cursor.rawValue == 5)
        }
        // An acknowledgement is held against what this connection was sent.
        client.ack(6)
        #expect(client.errors() == [ErrorCode.beyondLast.rawValue])
    }

    @Test("A resume that no client could have is refused by its field")
    func wrongResume() {
        let user = relay.addUser(1)
        for (epoch, position) in [("", 0), ("nonsense", 0), ("0000000000001", UInt64.max)] {
            let client = relay.connect(user)
            client.send { frame in
                frame.hello.resume.epoch = epoch
                frame.hello.resume.inboxSequence = position
            }
            #expect(client.errors() == [ErrorCode.invalidField.rawValue])
        }
    }

    @Test("A revoked device, and a store that cannot be read, are told apart")
    func cannotOpen() {
        let user = relay.addUser(1)
        relay.store.inner.revoke(relay.device(1, of: user), of: user)
        let revoked = relay.connect(user)
        revoked.hello()
        #expect(revoked.close() == .revoked)
        relay.store.failReads(with: .unavailable("disk"))
        relay.store.inner.failOperations(with: .unavailable("disk"))
        let other = relay.connect(relay.addUser(2))
        other.hello()
        #expect(other.errors() == [ErrorCode.storeUnavailable.rawValue])
        #expect(other.close() == .overloaded)
    }

    @Test("What comes behind the hello is answered behind the welcome, in its order", arguments: Subprotocol.allCases)
    func pipelined(encoding: Subprotocol) {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        relay.buses[0].holdsConfirmations = true
        let client = relay.connect(alice, encoding: encoding)
        client.sendTogether([
            { $0.hello.client = "test" }, { $0.ping.nonce = "1" }, { RelayClient.fill(&$0, "r", bob, "m") },
            { $0.watch.users = ["x"] }, { $0.hello.client = "again" }, { $0.ping.nonce = "2" },
        ])
        client.receive(payloads: [encoding == .json ? [0x78] : [0xff]])
        #expect(client.frames().isEmpty)
        relay.buses[0].confirmHeld()
        let answers = client.frames().map { frame in
            switch frame {
            case .welcome: "welcome"
            case .caughtUp: "caughtUp"
            case .pong(let pong): "pong \(pong.nonce)"
            case .accepted(let accepted): "accepted \(accepted.ref)"
            case .error(let error): "\(error.code) \(error.frame)"
            default: "\(frame)"
            }
        }
        let last = "malformed_frame "
        #expect(
            answers == [
                "welcome", "caughtUp", "pong 1", "invalid_field watch", "already_greeted hello", "pong 2", last,
                "accepted r",
            ], "a send is answered by its commit")
    }

    @Test("So many frames behind a hello are held, and then nothing is read until the inbox is open")
    func heldFrames() {
        relay.buses[0].holdsConfirmations = true
        let client = relay.connect(relay.addUser(1))
        client.hello()
        let before = client.reads.count
        let limit = Limits.Connection.heldFrames
        client.sendTogether((0..<(limit - 1)).map { number in { $0.ping.nonce = "\(number)" } })
        client.channel.read()
        #expect(client.reads.count == before + 1)
        client.send { $0.ping.nonce = "last" }
        client.channel.read()
        #expect(client.reads.count == before + 1, "held")
        relay.buses[0].confirmHeld()
        relay.run()
        #expect(client.reads.count == before + 2)
        #expect(client.frames().count == 2 + limit)
    }

    @Test("So many bytes are held as well")
    func heldBytes() {
        relay.buses[0].holdsConfirmations = true
        let client = relay.connect(relay.addUser(1))
        client.hello()
        let before = client.reads.count
        let half = [UInt8](repeating: 0, count: Limits.Connection.heldBytes / 2)
        client.receive(payloads: [half])
        client.channel.read()
        #expect(client.reads.count == before + 1)
        client.receive(payloads: [half])
        client.channel.read()
        #expect(client.reads.count == before + 1, "held")
        relay.buses[0].confirmHeld()
        relay.run()
        #expect(client.reads.count == before + 2)
        #expect(client.errors() == [ErrorCode.malformedFrame.rawValue, ErrorCode.malformedFrame.rawValue])
    }

    @Test("Where the inbox cannot be opened nothing behind the hello is looked at, and the closing is read")
    func heldInVain() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        relay.buses[0].holdsConfirmations = true
        relay.store.failReads(with: .unavailable("disk"))
        relay.store.inner.failOperations(with: .unavailable("disk"))
        let client = relay.connect(alice)
        let before = relay.store.submissions
        client.hello()
        client.sendTogether(
            (0..<Limits.Connection.heldFrames).map { number in { RelayClient.fill(&$0, "r\(number)", bob, "m") } })
        client.channel.read()
        let reads = client.reads.count
        relay.buses[0].confirmHeld()
        guard case .error(let error)? = client.frames().first else {
            Issue.record("no error")
            return
        }
        #expect(error.code == ErrorCode.storeUnavailable.rawValue && error.frame == "hello")
        #expect(client.close() == .overloaded)
        #expect(relay.store.submissions == before + 1, "the connection's own")
        #expect(client.reads.count > reads)
    }

    @Test("Events flow only when the bus has taken up the subscription")
    func subscriptionFirst() throws {
        let (sender, user) = (relay.addUser(1), relay.addUser(2))
        try relay.store(1, from: sender, to: user)
        relay.buses[0].holdsConfirmations = true
        let client = relay.connect(user)
        client.hello()
        #expect(client.frames().isEmpty)
        #expect(relay.cluster.sessions(of: user).isEmpty)
        relay.buses[0].confirmHeld()
        #expect(client.frames().count == 3, "welcome, event, caught up")
    }

    @Test("Clients that come and go while the store is slow do not make the line longer")
    func comeAndGo() {
        let user = relay.addUser(1)
        // Without room for a commit it is read where a device stands.
        relay.store.inner.failOperations(with: .diskFull)
        relay.store.holdReads()
        for _ in 0..<(10 * Limits.Node.drainsInFlight) {
            let client = relay.connect(user)
            client.hello()
            client.channel.close(promise: nil)
            relay.run()
            #expect(relay.loop.reads.waitingCount <= 2 + Limits.Node.drainsInFlight + 1)
        }
        relay.store.releaseReads()
        #expect(relay.greet(relay.addUser(2)).isConnected)
    }

    @Test("So many inboxes are read at a time for one loop; a herd waits in line, and who left costs nothing")
    func herd() throws {
        let limit = Limits.Node.drainsInFlight
        relay.store.inner.failOperations(with: .diskFull)
        relay.store.holdReads()
        let clients = (0..<(limit + 10)).map { number in
            let client = relay.connect(relay.addUser(UInt64(number + 1)))
            client.hello()
            return client
        }
        #expect(relay.store.heldReads == limit)
        for client in clients.suffix(9) { client.channel.close(promise: nil) }
        relay.store.releaseReads(1)
        relay.run()
        #expect(relay.store.heldReads == limit, "the next in line began")
        relay.store.releaseReads(1)
        relay.run()
        #expect(relay.store.heldReads == limit - 1, "the others in line had left")
        relay.store.releaseReads()
        relay.run()
        for client in clients.prefix(limit + 1) { #expect(client.frames().count == 2) }
    }
}
