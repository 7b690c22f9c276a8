import BatonClient
import BatonCore
import BatonProtocol
import BatonTestKit
import Foundation
import Testing

@Suite("Messages between two nodes", .cluster(nodes: 2))
struct DeliveryTests {
    @Test("A message crosses nodes, and its sender sees it accepted, delivered and read")
    func ticks() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { _, people in
            let (alice, bob) = (people[0], people[1])
            try await alice.connected()
            try await bob.connected()
            let accepted = try await alice.client.send("hello", to: .user(bob.user))
            let message = try await bob.message()
            #expect(message.id == accepted.id)
            #expect(message.content == .text("hello"))
            #expect((message.sender, message.device) == (alice.user, alice.device))
            let delivered = try await alice.receipt { $0.delivered >= message.id.sequence }
            #expect((delivered.user, delivered.read) == (bob.user, .zero))
            #expect(await bob.client.markRead(message.id))
            try await alice.receipt { $0.user == bob.user && $0.read == message.id.sequence }
        }
    }

    @Test("A device that was away gets what it missed, more than a window of it, in order, then is caught up")
    func offline() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { _, people in
            let (alice, bob) = (people[0], people[1])
            try await alice.connected()
            let count = Limits.Connection.windowEvents + 50
            try await alice.sendNumbers(1...count, to: bob.user)
            try await bob.client.connect()
            let messages = try await bob.messages(count)
            #expect(messages.map(\.content) == (1...count).map { .text("\($0)") })
            #expect(messages.map(\.id.sequence.rawValue) == (1...count).map { UInt64($0) })
            try await bob.events.first("caught up") { $0 == .caughtUp ? true : nil }
        }
    }

    @Test("Both devices of a user get a message, and each gets what the other sends")
    func twoDevices() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            let tablet = try await alice.anotherDevice(cluster, through: [1])
            try await alice.connected()
            try await tablet.connected()
            try await bob.connected()
            _ = try await bob.client.send("to both", to: .user(alice.user))
            #expect(try await alice.message("to both").id == tablet.message("to both").id)
            let own = try await alice.client.send("from the phone", to: .user(bob.user))
            let synced = try await tablet.message("from the phone")
            #expect((synced.id, synced.device) == (own.id, alice.device))
            await tablet.close()
        }
    }

    @Test("A typing notice reaches the other's devices")
    func typing() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { _, people in
            let (alice, bob) = (people[0], people[1])
            try await alice.connected()
            try await bob.connected()
            try await alice.acquainted(with: bob)
            let accepted = try await alice.client.send("so", to: .user(bob.user))
            #expect(await alice.client.typing(true, in: accepted.id.conversation))
            let typing = try await bob.events.first("typing") { event -> Typing? in
                if case .typing(let typing) = event { typing } else { nil }
            }
            #expect(typing.conversation == accepted.id.conversation)
            #expect(typing.user == alice.user && typing.isActive)
        }
    }

    @Test("A newer connection of a device displaces the older one on another node")
    func displacement() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let (address, token) = (cluster.addresses([0, 1]), people[0].tokens.accessToken)
            let (older, _) = try await RelaySocket.greet(address[0], token: token)
            let (newer, _) = try await RelaySocket.greet(address[1], token: token)
            #expect(try await older.closeCode() == CloseCode.displaced.rawValue)
            #expect(try await newer.answers("still here"))
            try await newer.close()
        }
    }

    @Test("A client that something displaced and left comes back by itself")
    func displacedByNobody() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let alice = try await people[0].connected()
            try await alice.online(with: "n1")
            let (newer, _) = try await RelaySocket.greet(
                cluster.addresses([1])[0], token: alice.tokens.accessToken)
            #expect(try await newer.answers("before it goes"))
            try await alice.states.first("a loss") { state in
                if case .waiting(_, let why) = state, why.contains("4002") { true } else { nil }
            }
            try await newer.close()
            try await alice.online(with: "n1")
        }
    }

    @Test("A client that another one of its program displaced stays away at once")
    func displacedByNeighbour() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let alice = try await people[0].connected()
            try await alice.online(with: "n1")
            let neighbour = try BatonClient(ClientConfiguration(addresses: cluster.addresses([1])))
            try await neighbour.use(alice.tokens)
            try await neighbour.connect()
            let away = try await alice.states.first("an end") { state in
                switch state {
                case .offline: true
                case .waiting: false
                default: nil
                }
            }
            #expect(away)
            #expect(await alice.client.state == .offline(.displaced))
            // It is not told so by mistake: the other one stays.
            for await state in await neighbour.states() { if case .online = state { break } }
            await neighbour.close()
            // Once it is gone, a displaced client may take the device back.
            try await alice.client.connect()
            try await alice.online(with: "n1")
        }
    }

    @Test("Revoking a device closes its connection on another node within a second")
    func revocation() async throws {
        try await withPeople(1, nodes: [[1]]) { cluster, people in
            let alice = people[0]
            let lost = try await alice.anotherDevice(cluster, through: [0])
            let (socket, _) = try await RelaySocket.greet(
                cluster.addresses([0])[0], token: lost.tokens.accessToken)
            let began = ContinuousClock.now
            try await alice.client.revoke(lost.device)
            #expect(try await socket.closeCode() == CloseCode.revoked.rawValue)
            #expect(ContinuousClock.now - began < .seconds(1))
            await lost.close()
        }
    }
}
