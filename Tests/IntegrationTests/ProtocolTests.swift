import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import BatonTestKit
import Foundation
import NIOCore
import Testing

@Suite("What a connection may do, and what it costs", .cluster(nodes: 2))
struct ProtocolTests {
    @Test("A retry on another node gets the first outcome, and the message is there once")
    func retry() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            try await bob.connected()
            let address = cluster.addresses([0, 1])
            let (first, _) = try await RelaySocket.greet(address[0], token: alice.tokens.accessToken)
            try await first.send("once", ref: "r1", to: bob.user.description)
            let accepted = try await first.accepted()
            let (second, _) = try await RelaySocket.greet(address[1], token: alice.tokens.accessToken)
            try await second.send("once", ref: "r1", to: bob.user.description)
            #expect(try await second.accepted() == accepted)

            try await second.send("another", ref: "r1", to: bob.user.description)
            #expect(try await second.rejected().error.code == ErrorCode.refReused.rawValue)

            try await second.send("next", ref: "r2", to: bob.user.description)
            #expect(try await second.accepted().sequence == accepted.sequence + 1)
            #expect(try await bob.messages(2).map(\.content) == [.text("once"), .text("next")])
            try await second.close()
        }
    }

    @Test("A position of another epoch is answered by a resync, and never resumed in part")
    func wrongEpoch() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let (address, token) = (cluster.addresses([0])[0], people[0].tokens.accessToken)
            let (socket, welcome) = try await RelaySocket.greet(address, token: token)
            #expect(welcome.outcome == .resumed)
            var resume = WireResume()
            resume.epoch = Epoch(rawValue: (Epoch(welcome.epoch)?.rawValue ?? 0) ^ 1).description
            let (_, again) = try await RelaySocket.greet(address, token: token, resume: resume)
            #expect(again.outcome == .resyncEpoch)
            #expect(again.epoch == welcome.epoch)
            #expect(try await socket.closeCode() == CloseCode.displaced.rawValue)
        }
    }

    @Test("An acknowledgement of what was never sent is an error, and the connection goes on")
    func beyondLast() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let (socket, _) = try await RelaySocket.greet(
                cluster.addresses([0])[0], token: people[0].tokens.accessToken)
            try await socket.acknowledge(1_000)
            var error: WireError?
            while error == nil {
                if case .error(let found) = try await socket.frame() { error = found }
            }
            #expect(error?.code == ErrorCode.beyondLast.rawValue)
            #expect(try await socket.answers("on and on"))
            try await socket.close()
        }
    }

    @Test("A device that was logged out is upgraded by its token, and told by the close of its hello")
    func revokedToken() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let lost = try await people[0].anotherDevice(cluster, through: [1])
            try await people[0].client.revoke(lost.device)
            for node in [0, 1] {
                let socket = try await RelaySocket.open(cluster.addresses([node])[0], token: lost.tokens.accessToken)
                try await socket.send { $0.hello.client = "revoked" }
                #expect(try await socket.closeCode() == CloseCode.revoked.rawValue)
            }
            await lost.close()
        }
    }

    @Test("A ping right behind a hello is answered behind the welcome, and a wrong send in between by its ref")
    func pipelined() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let socket = try await RelaySocket.open(cluster.addresses([0])[0], token: people[0].tokens.accessToken)
            var frames = [WireClientFrame](repeating: WireClientFrame(), count: 3)
            frames[0].hello.client = "pipelined"
            frames[1].ping.nonce = "1"
            frames[2].ping.nonce = "2"
            // A send whose text is a number, between the pings.
            let wrong: [UInt8] = [0x12, 8, 0x0a, 2, 0x72, 0x31, 0x22, 2, 0x08, 5]
            var payloads = try frames.map { try FrameCodec.encode($0, as: .proto) }
            payloads.insert(wrong, at: 2)
            try await socket.raw.send(payloads.flatMap { ClientFrames.binary($0) })
            var answers: [String] = []
            while answers.last != "pong 2" {
                switch try await socket.frame() {
                case .welcome: answers.append("welcome")
                case .pong(let pong): answers.append("pong \(pong.nonce)")
                case .rejected(let rejected): answers.append("\(rejected.error.code) \(rejected.ref)")
                case .caughtUp: break
                case let other: answers.append("\(other)")
                }
            }
            #expect(answers == ["welcome", "pong 1", "malformed_frame r1", "pong 2"])
            try await socket.close()
        }
    }

    @Test("A client that acknowledges nothing gets a window of events, and no more until it does")
    func window() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            try await alice.connected()
            let window = Limits.Connection.windowEvents
            try await alice.sendNumbers(1...(window + 44), to: bob.user)
            let (socket, welcome) = try await RelaySocket.greet(
                cluster.addresses([1])[0], token: bob.tokens.accessToken)
            #expect(welcome.windowEvents == UInt32(window))
            for sequence in 1...UInt64(window) { #expect(try await socket.event().inboxSequence == sequence) }
            #expect(try await socket.isQuiet("no more"))
            try await alice.sendNumbers(1...1, to: bob.user)
            #expect(try await socket.isQuiet("not even a live one"))
            try await socket.acknowledge(UInt64(window))
            for sequence in (window + 1)...(window + 45) {
                #expect(try await socket.event().inboxSequence == UInt64(sequence))
            }
            guard case .caughtUp = try await socket.frame() else {
                Issue.record("caught up comes behind the last event")
                return
            }
            try await socket.close()
        }
    }

    @Test("A reader that acknowledges nothing for half a minute is closed with a code to resume by, and can")
    func slowReader() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            try await alice.connected()
            let window = Limits.Connection.windowEvents
            try await alice.sendNumbers(1...(window + 1), to: bob.user)
            let (address, token) = (cluster.addresses([1])[0], bob.tokens.accessToken)
            let (socket, welcome) = try await RelaySocket.greet(address, token: token)
            for _ in 0..<window { _ = try await socket.event() }
            let code: UInt16? = try await socket.raw.wait(seconds: Limits.Connection.stalledReaderSeconds + 20) {
                buffer, _ in
                var copy = buffer
                let close = ServerFrame.readAll(from: &copy).first { $0.opcode == 0x8 }
                return close.map { ($0.closeCode, buffer.readableBytes) }
            }
            #expect(code == CloseCode.stalled.rawValue)
            var resume = WireResume()
            resume.epoch = welcome.epoch
            resume.inboxSequence = UInt64(window)
            let (again, resumed) = try await RelaySocket.greet(address, token: token, resume: resume)
            #expect(resumed.outcome == .resumed)
            #expect(try await again.event().inboxSequence == UInt64(window) + 1)
            try await again.close()
        }
    }

    @Test("Whatever bytes a connection sends, its neighbours notice nothing")
    func anyBytes() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            try await alice.connected()
            try await bob.connected()
            let address = cluster.addresses([0])[0]
            let pid = await cluster.local.nodePIDs[0]
            var generator = SeededGenerator(seed: 11)
            for round in 0..<40 {
                let socket = try await RelaySocket.open(address, token: alice.tokens.accessToken)
                try? await socket.raw.send(Self.attack(round, &generator))
                try? await socket.raw.finish()
                _ = try await socket.raw.untilEnd()
                try? await socket.close()
            }
            #expect(await cluster.local.nodePIDs[0] == pid)
            #expect(await cluster.local.isNodeRunning(0))
            _ = try await alice.client.send("unharmed", to: .user(bob.user))
            #expect(try await bob.message().content == .text("unharmed"))
        }
    }

    /// Random bytes, random payloads in good frames, frames that are cut off, frames that announce too much.
    private static func attack(_ round: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        let count = Int.random(in: 1...500, using: &generator)
        let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        switch round % 4 {
        case 0: return noise
        case 1: return ClientFrames.binary(noise)
        case 2: return Array(ClientFrames.binary(noise).prefix(count / 2 + 1))
        default:
            return ClientFrames.header(0x2, length: UInt64.random(in: 1 << 20...1 << 62, using: &generator), bytes: 8)
        }
    }

    @Test("A frame that announces more than is allowed is refused by its length, before it comes")
    func oversized() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let (socket, _) = try await RelaySocket.greet(
                cluster.addresses([0])[0], token: people[0].tokens.accessToken)
            let length = UInt64(Limits.Frame.messageBytes) + 1
            try await socket.raw.send(ClientFrames.header(0x2, length: length, bytes: 8))
            #expect(try await socket.closeCode() == CloseCode.tooBig.rawValue)
        }
    }
}
