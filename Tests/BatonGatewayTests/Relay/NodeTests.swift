import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("A node's doors")
struct NodeTests {
    @Test("So many a second are admitted; the excess is told when to try again")
    func admission() {
        let relay = RelayFixture { $0.admittedPerSecond = 20 }
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        for _ in 0..<20 { #expect(relay.node.admit(at: now) == nil) }
        #expect(relay.node.admit(at: now) == 50)
        #expect(relay.node.admit(at: now + .milliseconds(50)) == nil)
        #expect(relay.node.admit(at: now + .milliseconds(50)) == 50)
    }

    @Test("A node that is full admits nobody until somebody left")
    func full() {
        let relay = RelayFixture { $0.connections = 3 }
        let clients = (1...3).map { relay.connect(relay.addUser($0)) }
        #expect(relay.node.connectionCount == 3)
        #expect(relay.node.admit(at: relay.eventLoop.now) != nil)
        clients[0].channel.close(promise: nil)
        relay.run()
        #expect(relay.node.admit(at: relay.eventLoop.now) == nil)
        // One that is on its way takes the place.
        #expect(relay.node.admit(at: relay.eventLoop.now, upgrading: 1) != nil)
    }

    @Test("The node's own users are served like clients, and counted as none")
    func uncounted() throws {
        let relay = RelayFixture()
        let (canary, partner) = (relay.addUser(1), relay.addUser(2))
        let sender = relay.connect(canary, isCounted: false)
        let receiver = relay.connect(partner, isCounted: false)
        for client in [sender, receiver] { client.hello() }
        sender.message("a", to: partner)
        #expect(receiver.events() == [1])
        #expect(relay.node.connectionCount == 0)
        for name in ["connections_opened_total", "frames_received_total", "messages_accepted_total"] {
            #expect(relay.metrics["baton_" + name] == 0, "\(name)")
        }
        sender.channel.close(promise: nil)
        relay.run()
        #expect(relay.node.connectionCount == 0)
    }

    @Test("An evacuation tells all to go, at its rate, and ends when they are gone")
    func evacuation() throws {
        let relay = RelayFixture { $0.evacuatedPerSecond = 20 }
        let clients = (1...10).map { relay.greet(relay.addUser($0)) }
        let ended = Counted()
        let future = try #require(relay.node.evacuate())
        future.assumeIsolated().whenComplete { _ in ended.count += 1 }
        #expect(relay.node.evacuate() == nil, "once")
        #expect(relay.node.isEvacuating && relay.node.admit(at: relay.eventLoop.now) != nil)
        for step in 0..<5 {
            relay.run()
            let leaving = clients.filter { $0.close() == .evacuated }
            #expect(leaving.count == 2 * (step + 1))
            relay.eventLoop.advanceTime(by: .milliseconds(100))
        }
        #expect(ended.count == 0)
        for client in clients { client.receive(ClientFrames.close(CloseCode.evacuated.rawValue)) }
        relay.eventLoop.advanceTime(by: .milliseconds(100))
        #expect(ended.count == 1 && relay.node.connectionCount == 0)
    }

    @Test("A slow rate is kept as well, and the first goes at once", arguments: [1, 4, 15])
    func slowEvacuation(rate: Int) {
        let relay = RelayFixture { $0.evacuatedPerSecond = rate }
        let clients = (1...50).map { relay.greet(relay.addUser($0)) }
        _ = relay.node.evacuate()
        relay.run()
        #expect(clients.count { $0.close() == .evacuated } == 1)
        for _ in 0..<20 { relay.eventLoop.advanceTime(by: .milliseconds(100)) }
        // Counted to the end of the step that is under way.
        #expect(clients.count { $0.close() == .evacuated } == rate * 21 / 10)
    }

    @Test("Who is evacuated is told when to come back")
    func goAway() throws {
        let relay = RelayFixture()
        let client = relay.greet(relay.addUser(1))
        _ = relay.node.evacuate()
        relay.run()
        guard case .goAway(let goAway)? = client.frames().first else {
            Issue.record("no goAway")
            return
        }
        #expect(goAway.reconnectAfterMs <= 1_000)
        #expect(client.close() == .evacuated)
    }

    @Test("An evacuation ends by its deadline, whatever the clients do")
    func evacuationDeadline() throws {
        let relay = RelayFixture {
            $0.evacuatedPerSecond = 10
            $0.evacuationSeconds = 2
        }
        let clients = (1...50).map { relay.greet(relay.addUser($0)) }
        let ended = Counted()
        try #require(relay.node.evacuate()).assumeIsolated().whenComplete { _ in ended.count += 1 }
        relay.eventLoop.advanceTime(by: .milliseconds(1_950))
        #expect(ended.count == 0)
        relay.eventLoop.advanceTime(by: .milliseconds(100))
        #expect(ended.count == 1)
        #expect(clients.contains { $0.close() == nil })
    }

    @Test("A commit that is under way is answered while the node evacuates")
    func commitDuringEvacuation() {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, other) = (relay.greet(alice), relay.addNode("b"))
        let receiver = relay.greet(bob, on: other)
        relay.store.holdCommits()
        sender.message("r", to: bob)
        _ = relay.node.evacuate()
        relay.run()
        relay.store.releaseCommits()
        relay.run()
        #expect(receiver.events() == [1])
    }

    @Test("Many connections of one device are told apart")
    func connectionIDs() {
        let relay = RelayFixture()
        let user = relay.addUser(1)
        let principal = Principal(user: user, device: relay.device(1, of: user), expiresAt: relay.clock.now)
        let clients = (0..<200).map { _ in
            RelayClient(principal: principal, encoding: .proto, loop: relay.loop, on: relay.eventLoop)
        }
        #expect(Set(clients.map(\.handler.id)).count == 200)
        #expect(relay.node.connectionCount == 200)
        for client in clients { client.channel.close(promise: nil) }
        relay.run()
        #expect(relay.node.connectionCount == 0)
    }
}
