import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("Sessions and presence")
struct SessionTests {
    private let relay = RelayFixture()

    @Test("A newer connection of a device ends the older: on the same loop, another loop, another node")
    func displacement() {
        let (second, other) = (relay.addLoop(to: relay.node), relay.addNode("b"))
        for (number, loop) in [relay.loop, second, other].enumerated() {
            let user = relay.addUser(UInt64(number + 1))
            let older = relay.greet(user)
            let newer = relay.greet(user, on: loop)
            #expect(older.close() == .displaced)
            #expect(newer.close() == nil)
            #expect(relay.cluster.sessions(of: user).map(\.generation) == [newer.handler.generation])
            older.channel.close(promise: nil)
            relay.run()
            #expect(relay.cluster.sessions(of: user).count == 1, "the older one's end leaves the newer's session")
        }
    }

    @Test("No session is written before the node holds a lease, by which it would be found if the node died")
    func unleased() {
        let user = relay.addUser(1)
        relay.node.awaitLease()
        let client = relay.greet(user)
        relay.advance(seconds: Limits.Presence.heartbeatSeconds)
        #expect(relay.cluster.sessions(of: user).isEmpty)
        relay.node.leaseTaken()
        relay.run()
        #expect(relay.cluster.sessions(of: user).map(\.generation) == [client.handler.generation])
        #expect(client.close() == nil)
    }

    @Test("Who went while Redis was away is announced when it is back, as far as so many are remembered")
    func unannounced() {
        for (number, others) in [0, Limits.Presence.unannouncedUsers].enumerated() {
            let user = relay.addUser(UInt64(number + 1))
            let client = relay.greet(user)
            let before = relay.metrics[offlines]
            relay.cluster.isDown = true
            client.channel.close(promise: nil)
            relay.run()
            let last = relay.loop.session(of: client.handler)
            for other in 0..<UInt64(others) {
                let session = Session(
                    user: UserID(rawValue: 1_000 + other), device: last.device, node: last.node,
                    incarnation: last.incarnation, generation: last.generation, since: last.since, client: last.client)
                relay.loop.departing.left(session, due: .distantFuture)
            }
            relay.advance(seconds: Limits.Presence.offlineDebounceSeconds + 2)
            #expect(relay.metrics[offlines] == before)
            relay.cluster.isDown = false
            InMemorySessionRegistry(relay.cluster).remove(relay.loop.session(of: client.handler)) { _ in }
            relay.advance(seconds: 2)
            #expect(relay.metrics[offlines] == before + (others == 0 ? 1 : 0))
        }
    }

    @Test("A user who comes back and goes again before the client has answered is offline all the same")
    func goneBeforeTheProof() {
        let user = relay.addUser(1)
        relay.greet(user).channel.close(promise: nil)
        relay.run()
        let before = relay.metrics[offlines]
        for _ in 0..<3 {
            let shy = relay.connect(user)
            shy.answersPings = false
            shy.hello()
            shy.drop()
            relay.advance(seconds: 2)
            shy.channel.close(promise: nil)
            relay.run()
        }
        relay.advance(seconds: Limits.Presence.offlineDebounceSeconds + 2)
        #expect(relay.metrics[offlines] == before + 1)
        #expect(relay.lastSeen.map(\.user) == [user])
    }

    @Test("A client that answers the latest ping only proves its connection all the same")
    func latestPing() {
        let user = relay.addUser(1)
        let client = relay.connect(user)
        client.answersPings = false
        client.hello()
        client.drop()
        #expect(relay.cluster.sessions(of: user).isEmpty)
        client.forgetPings()
        client.answersPings = true
        relay.advance(seconds: Limits.Connection.pingSeconds + 2)
        client.drop()
        relay.run()
        #expect(relay.cluster.sessions(of: user).count == 1)
    }

    @Test("Another device of the user is left alone")
    func otherDevice() {
        let user = relay.addUser(1, devices: [1, 2])
        let (one, two) = (relay.greet(user, device: 1), relay.greet(user, device: 2))
        #expect(one.close() == nil && two.close() == nil)
        #expect(relay.cluster.sessions(of: user).count == 2)
    }

    @Test("Of a connection that answers late the store's number says whether it is the newer, and no clock")
    func superseded() {
        let (user, other) = (relay.addUser(1), relay.addNode("b"))
        for isNumberedFirst in [true, false] {
            // What this one says lies in the socket of a node that stands still, before or behind the store's answer.
            let late = relay.connect(user)
            late.answersPings = false
            if isNumberedFirst { late.hello() }
            relay.clock.advance(by: .seconds(-3_600))
            let present = relay.greet(user, on: other)
            if !isNumberedFirst { late.hello() }
            late.drop()
            #expect(present.close() == nil, "nobody has answered on the other")
            #expect(relay.cluster.sessions(of: user).map(\.generation) == [present.handler.generation])
            late.answerPings()
            #expect(late.close() == (isNumberedFirst ? .displaced : nil))
            #expect(present.close() == (isNumberedFirst ? nil : .displaced))
            late.channel.close(promise: nil)
            present.channel.close(promise: nil)
            relay.run()
        }
    }

    @Test("Connections that came while Redis was away are settled by their numbers when it is back")
    func settledLater() {
        let (user, other) = (relay.addUser(1), relay.addNode("b"))
        relay.cluster.isDown = true
        let older = relay.greet(user)
        let newer = relay.greet(user, on: other)
        #expect(older.close() == nil && newer.close() == nil)
        relay.cluster.isDown = false
        relay.advance(seconds: 1)
        #expect(older.close() == .displaced && newer.close() == nil)
        #expect(relay.cluster.sessions(of: user).map(\.generation) == [newer.handler.generation])
    }

    @Test("A pong that nobody asked for proves nothing")
    func forgedPong() {
        let user = relay.addUser(1)
        let client = relay.connect(user)
        client.answersPings = false
        client.hello()
        client.drop()
        for payload in [[], [1], [UInt8](repeating: 0, count: 8), [UInt8](repeating: 0xff, count: 125)] {
            client.receive(ClientFrames.pong(payload))
        }
        #expect(relay.cluster.sessions(of: user).isEmpty)
        client.answerPings()
        #expect(relay.cluster.sessions(of: user).count == 1)
    }

    @Test("While the store takes no writes a connection opens without a number and displaces nobody")
    func unnumbered() {
        let (user, other) = (relay.addUser(1), relay.addNode("b"))
        let older = relay.greet(user)
        relay.store.inner.failOperations(with: .diskFull)
        let unnumbered = relay.greet(user, on: other)
        #expect(unnumbered.handler.generation == .unnumbered && unnumbered.handler.phase == .open)
        relay.advance(seconds: 1)
        #expect(older.close() == nil && unnumbered.close() == nil)
        #expect(relay.cluster.sessions(of: user).map(\.generation) == [older.handler.generation])
        relay.store.inner.failOperations(with: nil)
        for _ in 0..<3 {
            relay.advance(seconds: 10)
            for client in [older, unnumbered] where client.isConnected { client.send { $0.ping.nonce = "alive" } }
            unnumbered.drop()
        }
        #expect(older.close() == .displaced && unnumbered.close() == nil)
        #expect(relay.cluster.sessions(of: user).map(\.generation) == [unnumbered.handler.generation])
        #expect(unnumbered.handler.generation != .unnumbered)
    }

    @Test("Without a number a connection has a session where none is held, and its end removes it")
    func unnumberedAlone() {
        let user = relay.addUser(1)
        relay.store.inner.failOperations(with: .diskFull)
        let client = relay.greet(user)
        #expect(relay.cluster.sessions(of: user).map(\.generation) == [.unnumbered])
        client.channel.close(promise: nil)
        relay.run()
        #expect(relay.cluster.sessions(of: user).isEmpty)
    }

    @Test("A device that was revoked meanwhile never makes its user online")
    func revokedNeverOnline() {
        let user = relay.addUser(1)
        relay.store.inner.revoke(relay.device(1, of: user), of: user)
        let client = relay.greet(user)
        #expect(client.close() == .revoked)
        relay.advance(seconds: 1)
        #expect(relay.cluster.sessions(of: user).isEmpty && !isOnline(user))
        #expect(relay.metrics["baton_presence_changes_total online"] == 0)
    }

    @Test("The sweep finds devices that were revoked while the bus was away")
    func revokedUnheard() {
        let (relay, user) = (RelayFixture { $0.backstopSeconds = 30...30 }, UserID(rawValue: 1))
        _ = relay.addUser(1, devices: [1, 2])
        let (one, two) = (relay.greet(user, device: 1), relay.greet(user, device: 2))
        relay.store.inner.revoke(relay.device(1, of: user), of: user)
        #expect(one.close() == nil)
        for _ in 0..<2 {
            relay.advance(seconds: 15)
            for client in [one, two] where client.isConnected { client.send { $0.ping.nonce = "alive" } }
        }
        #expect(one.close() == .revoked && two.close() == nil)
    }

    @Test("A device that is revoked anywhere is closed here, its user's others are not")
    func revoked() {
        let user = relay.addUser(1, devices: [1, 2])
        let (one, two) = (relay.greet(user, device: 1), relay.greet(user, device: 2))
        relay.store.inner.revoke(relay.device(1, of: user), of: user)
        let bus = InMemoryBus(relay.cluster)
        bus.publish(.revoked(relay.device(1, of: user)), to: .user(user), receivers: nil)
        relay.run()
        #expect(one.close() == .revoked && two.close() == nil)
    }

    @Test("A device that is revoked on its own node is closed without the bus")
    func revokedWithoutBus() {
        let node = relay.loop.node
        let user = relay.addUser(1, devices: [1, 2])
        let (one, two) = (relay.greet(user, device: 1), relay.greet(user, device: 2))
        relay.cluster.isDown = true
        node.revoke(relay.device(1, of: user), of: user)
        relay.run()
        #expect(one.close() == .revoked && two.close() == nil)
    }

    @Test("Sessions and presence outlive their TTL as long as the connection does")
    func heartbeat() {
        let user = relay.addUser(1)
        let client = relay.greet(user)
        for _ in 0..<10 {
            relay.advance(seconds: 15)
            client.send { $0.ping.nonce = "alive" }
        }
        #expect(relay.cluster.sessions(of: user).count == 1)
        #expect(isOnline(user))
    }

    @Test("When the registry has lost everything, it is written anew")
    func registryEmptied() {
        let user = relay.addUser(1)
        let client = relay.greet(user)
        relay.cluster.empty()
        relay.advance(seconds: Limits.Presence.heartbeatSeconds)
        #expect(relay.cluster.sessions(of: user).count == 1 && isOnline(user) && client.isConnected)
    }

    @Test("A user is offline a while after the last connection went, not before")
    func offline() {
        let user = relay.addUser(1, devices: [1, 2])
        let (one, two) = (relay.greet(user, device: 1), relay.greet(user, device: 2))
        one.channel.close(promise: nil)
        relay.advance(seconds: 10)
        #expect(relay.metrics[offlines] == 0)
        two.channel.close(promise: nil)
        relay.advance(seconds: Limits.Presence.offlineDebounceSeconds - 1)
        #expect(isOnline(user) && relay.lastSeen.isEmpty)
        relay.advance(seconds: 1)
        #expect(!isOnline(user) && relay.lastSeen.map(\.user) == [user])
        #expect(relay.metrics[offlines] == 1)
    }

    @Test("Who comes back quickly was never away")
    func quickReconnect() {
        let (user, other) = (relay.addUser(1), relay.addNode("b"))
        for loop in [relay.loop, other] {
            let client = relay.greet(user)
            client.channel.close(promise: nil)
            relay.advance(seconds: Limits.Presence.offlineDebounceSeconds - 1)
            let next = relay.greet(user, on: loop)
            relay.advance(seconds: 10)
            #expect(isOnline(user) && next.isConnected)
        }
        #expect(relay.metrics[offlines] == 0)
    }

    private let offlines = "baton_presence_changes_total offline"

    private func isOnline(_ user: UserID) -> Bool {
        var answer: [UserID: Presence]?
        InMemoryPresenceRegistry(relay.cluster).presence(of: [user]) { answer = $0 }
        return answer?[user] == .online
    }
}

@Suite("When the bus loses something")
struct BackstopTests {
    private let relay = RelayFixture { $0.backstopSeconds = 10...10 }

    @Test("A hint that was lost is found by the sweep, delivered and counted")
    func lostHint() {
        let other = relay.addNode("b")
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice, on: other), relay.greet(bob))
        relay.cluster.loses = { _, channel in channel == .user(bob) }
        sender.message("r1", to: bob)
        sender.message("r2", to: bob)
        relay.advance(seconds: 9)
        #expect(receiver.events() == [])
        relay.advance(seconds: 2)
        #expect(receiver.events() == [1, 2])
        #expect(relay.metrics["baton_hint_missed_total"] == 2)
    }

    @Test("A hint that is only late is not counted as missed")
    func lateHint() {
        let other = relay.addNode("b")
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice, on: other), relay.greet(bob))
        var late: [(BusMessage, BusChannel)] = []
        relay.cluster.loses = { message, channel in
            late.append((message, channel))
            return true
        }
        relay.advance(seconds: 9)
        sender.message("r1", to: bob)
        relay.eventLoop.advanceTime(by: .milliseconds(1_500))
        relay.cluster.loses = { _, _ in false }
        let bus = InMemoryBus(relay.cluster)
        for (message, channel) in late { bus.publish(message, to: channel, receivers: nil) }
        relay.advance(seconds: 3)
        #expect(receiver.events() == [1])
        #expect(relay.metrics["baton_hint_missed_total"] == 0)
    }

    @Test("Without the bus a node delivers to its own at once, and others find what is theirs within seconds")
    func busDown() {
        let other = relay.addNode("b") { $0.backstopSeconds = 1_000...1_000 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2, devices: [1, 2]))
        let sender = relay.greet(alice)
        let (near, far) = (relay.greet(bob, device: 1), relay.greet(bob, device: 2, on: other))
        relay.cluster.isDown = true
        sender.message("r", to: bob)
        #expect(sender.frames().count == 1, "accepted")
        #expect(near.events() == [1] && far.events() == [])
        let late = relay.greet(relay.addUser(3), on: other)
        #expect(late.close() == nil, "whoever comes now is served from the store")
        for place in 1...5 as ClosedRange<UInt64> {
            if place > 1 { sender.message("r\(place)", to: bob) }
            relay.advance(seconds: Limits.Node.blindBackstopSeconds + 1)
            #expect(far.events() == [place])
        }
        relay.cluster.isDown = false
        relay.advance(seconds: 1)
        #expect(relay.metrics["baton_publish_errors_total"] > 0)
        relay.advance(seconds: 3)
        #expect(near.events() == [2, 3, 4, 5] && near.close() == nil && far.events() == [])
    }

    @Test("While Redis refuses to publish, sweeps deliver; heads are told again only once it does not")
    func publishRefused() {
        let other = relay.addNode("b") { $0.backstopSeconds = 1_000...1_000 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob, on: other))
        for bus in relay.buses { bus.refusesMessages = true }
        sender.message("r", to: bob)
        let errors = relay.metrics["baton_publish_errors_total"]
        relay.advance(seconds: Limits.Node.blindBackstopSeconds + 1)
        #expect(receiver.events() == [1])
        #expect(relay.metrics["baton_publish_errors_total"] == errors, "nothing is tried in vain each second")
    }

    @Test("One sweep is under way at a time, and frequent ones leave the store most of the time")
    func sweepRest() {
        func at(_ milliseconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .milliseconds(milliseconds) }
        let blind = Limits.Node.blindBackstopSeconds * 1_000
        var backstop = Backstop(next: at(30_000))
        _ = backstop.begin(queries: 2, at: at(0), isBlind: true, next: at(30_000))
        #expect(!backstop.isDue(at(60_000), isBlind: true), "the store has not answered")
        backstop.answered(at: at(10))
        backstop.answered(at: at(10))
        #expect(!backstop.isDue(at(blind - 1), isBlind: true) && backstop.isDue(at(blind), isBlind: true))
        #expect(!backstop.isDue(at(29_999), isBlind: false) && backstop.isDue(at(30_000), isBlind: false))
        // It took a second: the next one comes after twenty.
        _ = backstop.begin(queries: 1, at: at(100_000), isBlind: true, next: at(130_000))
        backstop.answered(at: at(101_000))
        let rest = Limits.Node.blindBackstopRest * 1_000
        #expect(!backstop.isDue(at(100_000 + rest - 1), isBlind: true))
        #expect(backstop.isDue(at(100_000 + rest), isBlind: true))
        backstop.hurry(at(101_500))
        #expect(backstop.isDue(at(101_500), isBlind: false))
    }

    @Test("A hint that could not be published is told when it can be, without waiting for a sweep")
    func unpublishedHint() {
        let other = relay.addNode("b") { $0.backstopSeconds = 1_000...1_000 }
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob, on: other))
        relay.buses[0].refusesMessages = true
        sender.message("r1", to: bob)
        sender.message("r2", to: bob)
        relay.advance(seconds: 2)
        #expect(receiver.events() == [])
        relay.buses[0].refusesMessages = false
        relay.advance(seconds: 1)
        #expect(receiver.events() == [1, 2])
    }

    @Test("An acknowledgement that the store failed to take is stored when it can be, and the sender learns of it")
    func failedAcknowledgement() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        sender.message("r", to: bob)
        #expect(receiver.events() == [1])
        relay.store.inner.failOperations(with: .unavailable("x"))
        receiver.ack(1)
        relay.advance(seconds: 2)
        sender.drop()
        relay.store.inner.failOperations(with: nil)
        relay.advance(seconds: 2)
        #expect(sender.events() == [1])
    }

    @Test("Connections that wait for a subscription are served when the bus goes down")
    func busGoesDownWhileSubscribing() {
        relay.buses[0].holdsConfirmations = true
        let client = relay.connect(relay.addUser(1))
        client.hello()
        #expect(client.frames().isEmpty)
        relay.cluster.isDown = true
        #expect(client.frames().count == 2)
        relay.buses[0].confirmHeld()
        #expect(client.frames().isEmpty, "not welcomed twice")
    }
}
