import BatonCore
import BatonTestKit
import NIOCore
import Testing

@testable import BatonGateway

@Suite("The bounds of an event loop")
struct LoopBoundsTests {
    @Test("So many users' hints wait for the bus; of one more only the sweep will know, and a known one stays known")
    func unpublished() {
        let relay = RelayFixture()
        let (alice, bob, carol) = (relay.addUser(1), relay.addUser(2), relay.addUser(3))
        let sender = relay.greet(alice)
        let limit = Limits.Node.unpublishedUsers
        relay.buses[0].refusesMessages = true
        sender.message("r1", to: bob)
        for number in 1..<UInt64(limit) {
            relay.loop.unpublished.failed(InboxSequence(rawValue: 1), of: UserID(rawValue: 1_000 + number))
        }
        sender.message("r2", to: carol)
        sender.message("r3", to: bob)
        #expect(relay.loop.unpublished.count == limit)
        let heads = relay.loop.unpublished.take()
        #expect(heads[carol] == nil)
        #expect(heads[bob] == InboxSequence(rawValue: 2))
    }

    @Test("One user more than a query takes is swept as well, and registered anew")
    func portions() {
        let relay = RelayFixture { $0.backstopSeconds = 30...30 }
        let sender = relay.greet(relay.addUser(1), on: relay.addNode("b"))
        let count = UInt64(max(RelayLoop.usersPerQuery, RelayLoop.sessionsPerPipeline)) + 1
        let users = (0..<count).map { relay.addUser(100 + $0) }
        let receivers = users.map { relay.greet($0) }
        relay.cluster.loses = { _, _ in true }
        for user in users { sender.message("to \(user)", to: user) }
        #expect(receivers.allSatisfy { $0.events().isEmpty })
        relay.advance(seconds: 32)
        #expect(receivers.allSatisfy { $0.events() == [1] })

        relay.cluster.empty()
        relay.cluster.isDown = true
        relay.cluster.isDown = false
        // One part at once, the rest behind it.
        #expect(users.count { relay.cluster.sessions(of: $0).count == 1 } == RelayLoop.sessionsPerPipeline)
        relay.run()
        #expect(users.allSatisfy { relay.cluster.sessions(of: $0).count == 1 })
    }

    @Test(
        "What nobody hinted at is found between the bounds of the backstop, and the second in which it is looked at again"
    )
    func backstop() {
        let relay = RelayFixture()
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice, on: relay.addNode("b")), relay.greet(bob))
        relay.cluster.loses = { _, _ in true }
        sender.message("r", to: bob)
        relay.advance(seconds: Limits.Node.backstopMinimumSeconds)
        #expect(receiver.events() == [])
        relay.advance(seconds: Limits.Node.backstopMaximumSeconds - Limits.Node.backstopMinimumSeconds + 2)
        #expect(receiver.events() == [1])
    }

    @Test("A connection is believed to type in so many conversations; with one more all are asked about again")
    func typing() throws {
        var state = TypingBeliefs()
        let all = (0...UInt64(TypingBeliefs.conversations)).map { ConversationID(group: $0) }
        func believed() -> [ConversationID] { all.filter { state.isShown(in: $0, at: .now()) != nil } }
        for id in all.dropLast() { state.believe(in: id, isShown: true, until: .distantFuture) }
        #expect(believed() == Array(all.dropLast()))
        state.believe(in: all[all.count - 1], isShown: false, until: .distantFuture)
        #expect(believed() == [all[all.count - 1]])
    }

    @Test("A page of an inbox has so many events, however wide the window is")
    func pages() throws {
        let relay = RelayFixture { $0.windowEvents = 1_000 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        try relay.store(Limits.Store.pageEvents + 1, from: alice, to: bob)
        relay.store.holdReads()
        let client = relay.connect(bob)
        client.hello()
        client.drop()
        relay.store.releaseReads(1)
        #expect(client.events().count == Limits.Store.pageEvents)
        relay.store.releaseReads()
        #expect(client.events() == [UInt64(Limits.Store.pageEvents) + 1])
    }
}
