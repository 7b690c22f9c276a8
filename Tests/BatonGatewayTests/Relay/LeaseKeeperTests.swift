import BatonCore
import BatonTestKit
import Logging
import Testing

@testable import BatonGateway

@Suite("A node's lease")
struct LeaseKeeperTests {
    private let relay = RelayFixture()
    private let seen = Seen()

    /// What the keeper told its node.
    private final class Seen {
        var renewals: [Bool] = []
        var ends = 0
    }

    private func lease(_ node: String = "a", incarnation: UInt64 = 1) throws -> NodeLease {
        NodeLease(
            node: try #require(NodeID(node)), incarnation: incarnation, address: "127.0.0.1:1", state: .up,
            connections: 0, since: relay.clock.now)
    }

    private func start() throws -> LeaseKeeper {
        let keeper = LeaseKeeper(
            lease: try lease(),
            redis: (InMemoryNodeRegistry(relay.cluster), InMemoryPresenceRegistry(relay.cluster)), relay: relay.loop,
            node: relay.node, clock: relay.clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            onRenewal: { [seen] in seen.renewals.append($0) }, onSuperseded: { [seen] in seen.ends += 1 })
        keeper.start()
        return keeper
    }

    /// The leases that hold, as another node sees them.
    private var held: [NodeLease] {
        var held: [NodeLease] = []
        InMemoryNodeRegistry(relay.cluster).nodes { held = $0 ?? [] }
        return held
    }

    @Test("It holds as long as the node lives, tells its connections, and goes with it")
    func life() throws {
        let keeper = try start()
        #expect(held == [try lease()])
        _ = relay.greet(relay.addUser(1))
        for _ in 0..<40 {
            relay.advance(seconds: 1)
            #expect(held.count == 1)
        }
        #expect(held.first?.connections == 1)
        // At once, after a period and up to a second, and then each period.
        #expect([8, 9].contains(seen.renewals.count) && seen.renewals.allSatisfy { $0 })
        keeper.evacuating()
        #expect(held.first?.state == .evacuating)
        keeper.stop {}
        #expect(held.isEmpty)
        relay.advance(seconds: 20)
        #expect(held.isEmpty)
    }

    @Test("Redis may be away for as long as a lease outlives its renewals")
    func away() throws {
        let keeper = try start()
        relay.advance(seconds: Limits.Node.leaseRenewSeconds + 1)
        relay.cluster.isDown = true
        relay.advance(seconds: Limits.Node.leaseSeconds - Limits.Node.leaseRenewSeconds - 1)
        relay.cluster.isDown = false
        #expect(held.count == 1)
        relay.advance(seconds: Limits.Node.leaseRenewSeconds)
        #expect(held.count == 1)
        #expect(seen.renewals.allSatisfy { $0 } && seen.ends == 0)
        keeper.stop {}
    }

    @Test("A later start of a node of the same name takes it, and this one ends, once")
    func superseded() throws {
        let keeper = try start()
        InMemoryNodeRegistry(relay.cluster).renewLease(try lease(incarnation: 2)) { _ in }
        relay.advance(seconds: 3 * Limits.Node.leaseRenewSeconds)
        #expect(seen.renewals == [true, false])
        #expect(seen.ends == 1)
        keeper.stop {}
    }

    @Test("After an outage in which all leases ran out nobody who lives is taken for dead")
    func outage() throws {
        let (keeper, user) = (try start(), UserID(rawValue: 77))
        let (nodes, sessions) = (InMemoryNodeRegistry(relay.cluster), InMemorySessionRegistry(relay.cluster))
        let other = try lease("b")
        nodes.renewLease(other) { _ in }
        let session = Session(
            user: user, device: DeviceID(rawValue: 1), node: other.node, incarnation: other.incarnation,
            generation: ConnectionGeneration(rawValue: 1), since: relay.clock.now, client: "")
        sessions.write([session]) { _ in }
        relay.advance(seconds: 2)
        relay.cluster.isDown = true
        relay.advance(seconds: 2 * Limits.Node.leaseSeconds)
        relay.cluster.isDown = false
        // The other one is back a while later, as late as its pauses between attempts allow.
        relay.advance(seconds: 2 * Limits.Node.leaseRenewSeconds)
        nodes.renewLease(other) { _ in }
        for _ in 0..<4 {
            relay.advance(seconds: Limits.Node.leaseRenewSeconds)
            nodes.renewLease(other) { _ in }
        }
        #expect(relay.cluster.sessions(of: user).count == 1)
        relay.advance(seconds: 2 * Limits.Node.leaseSeconds)
        #expect(relay.cluster.sessions(of: user).isEmpty, "now it is dead")
        keeper.stop {}
    }

    @Test("However long Redis is away, one attempt at a time waits")
    func oneRetry() throws {
        relay.cluster.isDown = true
        let keeper = try start()
        relay.advance(seconds: 120)
        let before = relay.cluster.renewals
        relay.advance(seconds: 60)
        // One of the timer and one that waited, in each period.
        #expect(relay.cluster.renewals - before <= 2 * 60 / Int(Limits.Node.leaseRenewSeconds) + 2)
        relay.cluster.isDown = false
        relay.advance(seconds: Limits.Node.leaseRenewSeconds)
        #expect(held.count == 1)
        keeper.stop {}
    }

    @Test("The sessions of a node that died go when its lease has, and its users are offline")
    func cleanUp() throws {
        let keeper = try start()
        let user = UserID(rawValue: 77)
        InMemoryNodeRegistry(relay.cluster).renewLease(try lease("dead")) { _ in }
        let session = Session(
            user: user, device: DeviceID(rawValue: 1), node: try #require(NodeID("dead")), incarnation: 1,
            generation: ConnectionGeneration(rawValue: 1), since: relay.clock.now, client: "test")
        InMemorySessionRegistry(relay.cluster).write([session]) { _ in }
        InMemoryPresenceRegistry(relay.cluster).heartbeat([user], at: relay.clock.now) { _ in }
        relay.advance(seconds: Limits.Node.leaseSeconds - 1)
        #expect(relay.cluster.sessions(of: user) == [session])
        relay.advance(seconds: 2 * Limits.Node.leaseRenewSeconds + 2)
        #expect(relay.cluster.sessions(of: user).isEmpty)
        var presence: Presence?
        InMemoryPresenceRegistry(relay.cluster).presence(of: [user]) { presence = $0?[user] }
        #expect(presence.map { $0 != .online } == true)
        keeper.stop {}
    }
}
