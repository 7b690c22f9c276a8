import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import Foundation
import Testing

@Suite("What breaks, and comes back", .serialized, .cluster(nodes: 2))
struct FaultTests {
    @Test("Without Redis a node stores, delivers to its own devices and says degraded; then everything catches up")
    func withoutRedis() async throws {
        try await withPeople(3, nodes: [[0], [0], [1]]) { cluster, people in
            for person in people { try await person.connected() }
            let (alice, bob, carol) = (people[0], people[1], people[2])
            await cluster.local.killRedis()
            try await cluster.untilHealth(of: 0) { $0.contains(#""degraded":true"#) }
            #expect(try await cluster.local.health(of: 0).contains(#""ready":true"#))
            _ = try await alice.client.send("same node", to: .user(bob.user))
            #expect(try await bob.message().content == .text("same node"))
            _ = try await alice.client.send("other node", to: .user(carol.user))
            try await cluster.local.startRedis()
            #expect(try await carol.message().content == .text("other node"))
            try await cluster.untilHealth(of: 0) { $0.contains(#""degraded":false"#) }
            try await cluster.untilHealth(of: 1) { $0.contains(#""degraded":false"#) }
            _ = try await alice.client.send("live again", to: .user(carol.user))
            #expect(try await carol.message().content == .text("live again"))
        }
    }

    @Test("A Redis that forgets everything, and subscriptions that break, lose no message")
    func lostHints() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            for person in people { try await person.connected() }
            let (alice, bob) = (people[0], people[1])
            async let sent: Void = alice.sendNumbers(1...200, to: bob.user)
            var received = try await bob.messages(20)
            try await cluster.local.emptyRedis()
            received += try await bob.messages(20)
            _ = try await cluster.local.redis("CLIENT KILL TYPE pubsub")
            received += try await bob.messages(20)
            _ = try await cluster.local.redis("CLIENT KILL TYPE normal")
            received += try await bob.messages(140)
            try await sent
            #expect(received.map(\.id.sequence.rawValue) == (1...200).map { UInt64($0) })
        }
    }

    @Test("When the node of a recipient is killed in mid-stream, everything arrives once and in order elsewhere")
    func killedNode() async throws {
        try await withPeople(2, nodes: [[0], [1, 0]]) { cluster, people in
            for person in people { try await person.connected() }
            let (alice, bob) = (people[0], people[1])
            async let sent: Void = alice.sendNumbers(1...300, to: bob.user)
            var received = try await bob.messages(50)
            await cluster.local.killNode(1)
            received += try await bob.messages(250)
            try await sent
            #expect(received.map(\.content) == (1...300).map { .text("\($0)") })
            #expect(await bob.client.state == .online(node: "n1"))
            try await cluster.local.startNode(1)
            try await cluster.local.untilReady(1)
        }
    }

    @Test("A node that is told to stop sends its connections elsewhere and ends with status 0")
    func evacuation() async throws {
        try await withPeople(2, nodes: [[0], [1, 0]]) { cluster, people in
            for person in people { try await person.connected() }
            let (alice, bob) = (people[0], people[1])
            let raw = try await Person.join(cluster, through: [1])
            let (socket, _) = try await RelaySocket.greet(cluster.addresses([1])[0], token: raw.tokens.accessToken)
            await cluster.local.signalNode(1, SIGTERM)
            var goAway: WireGoAway?
            while goAway == nil {
                if case .goAway(let found) = try await socket.frame() { goAway = found }
            }
            #expect(goAway?.reason.isEmpty == false)
            #expect(try await socket.closeCode() == CloseCode.evacuated.rawValue)
            try? await socket.close()
            #expect(await cluster.local.nodeEnded(1) == 0)
            try await bob.online(with: "n1")
            _ = try await alice.client.send("moved", to: .user(bob.user))
            #expect(try await bob.message().content == .text("moved"))
            await raw.close()
            try await cluster.local.startNode(1)
            try await cluster.local.untilReady(1)
        }
    }

    @Test("A killed node's sessions are removed by another, and its users are announced offline")
    func deadSessions() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            for person in people { try await person.connected() }
            let (alice, bob) = (people[0], people[1])
            try await alice.acquainted(with: bob)
            await alice.client.watch([bob.user])
            _ = try await alice.presence(of: bob.user, isOnline: true)
            #expect(try await cluster.local.redis("HLEN session:{\(bob.user)}") == "1")
            await cluster.local.killNode(1)
            _ = try await alice.presence(of: bob.user, isOnline: false)
            #expect(try await cluster.local.redis("HLEN session:{\(bob.user)}") == "0")
            try await cluster.local.startNode(1)
            try await cluster.local.untilReady(1)
        }
    }
}
