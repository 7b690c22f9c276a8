import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("What is said of a device over the bus, and in the registry")
struct ClaimTests {
    private let relay = RelayFixture()

    private func say(_ message: BusMessage, of user: UserID) {
        relay.loop.received(message, on: .user(user))
        relay.run()
    }

    private var contradicted: Int64 { relay.metrics["baton_bus_disbelieved_total contradicted"] }

    @Test("A connection does not end because somebody says that its device was revoked, but if the store says so")
    func revoked() {
        let user = relay.addUser(1, devices: [1, 2])
        let (client, other) = (relay.greet(user), relay.greet(user, device: 2))
        let device = relay.device(1, of: user)
        say(.revoked(device), of: user)
        #expect(client.close() == nil && contradicted == 1)
        relay.store.inner.revoke(device, of: user)
        say(.revoked(device), of: user)
        #expect(client.close() == .revoked && other.close() == nil && contradicted == 1)
    }

    @Test("Nor because somebody says that it was displaced, but if the store has numbered a later one")
    func displaced() {
        let user = relay.addUser(1)
        let client = relay.greet(user)
        let (device, number) = (relay.device(1, of: user), client.handler.generation ?? .unnumbered)
        for forged in [number.next, ConnectionGeneration(rawValue: .max)] {
            say(.displaced(device, by: forged), of: user)
            #expect(client.close() == nil)
        }
        #expect(contradicted == 2)
        say(.displaced(device, by: number), of: user)
        #expect(client.close() == nil && contradicted == 2, "that is itself")
        relay.store.inner.submit([.connect(ConnectRequest(user: user, device: device, at: relay.clock.now))]) { _ in }
        say(.displaced(device, by: number.next), of: user)
        #expect(client.close() == .displaced)
    }

    @Test("A session that somebody has made up ends no connection")
    func forgedSession() {
        let user = relay.addUser(1)
        let client = relay.greet(user)
        let session = relay.loop.session(of: client.handler)
        let forged = Session(
            user: user, device: session.device, node: session.node, incarnation: 9,
            generation: ConnectionGeneration(rawValue: .max), since: session.since, client: "forged")
        InMemorySessionRegistry(relay.cluster).write([forged]) { _ in }
        relay.advance(seconds: Limits.Presence.heartbeatSeconds)
        #expect(client.close() == nil && contradicted == 1)
    }

    @Test("While the store does not answer nothing ends, and what is said meanwhile is looked up once more")
    func slowStore() {
        let user = relay.addUser(1)
        let client = relay.greet(user)
        let device = relay.device(1, of: user)
        relay.store.holdReads()
        for number in 0..<1_000 as Range<UInt64> {
            relay.loop.received(.displaced(device, by: .init(rawValue: .max - number)), on: .user(user))
        }
        relay.run()
        #expect(relay.store.looks == 1)
        relay.store.failReads(with: .unavailable(""))
        relay.store.releaseReads()
        relay.run()
        #expect(client.close() == nil)
        #expect(relay.store.looks <= 2 + Limits.Node.claimsOfDevice)
        relay.store.failReads(with: nil)
        relay.store.inner.revoke(device, of: user)
        say(.revoked(device), of: user)
        #expect(client.close() == .revoked)
    }

    @Test("So many claims wait, one more is left out")
    func bound() {
        var claims = DeviceClaims()
        let device = DeviceID(rawValue: 1)
        var isFirst = claims.begin(.revoked, of: device)
        #expect(isFirst)
        for number in 0...UInt64(Limits.Node.claimsOfDevice) {
            isFirst = claims.begin(.newer(ConnectionGeneration(rawValue: number)), of: device)
            #expect(!isFirst)
        }
        let next = claims.ended(device)
        #expect(next.count == Limits.Node.claimsOfDevice)
        isFirst = claims.begin(.revoked, of: device)
        #expect(isFirst)
    }

    @Test("A head that no inbox has costs two looks, and what comes then is delivered")
    func forgedHead() {
        let (alice, bob) = (relay.addUser(1), relay.addUser(2))
        let (sender, receiver) = (relay.greet(alice), relay.greet(bob))
        relay.store.holdReads()
        for _ in 0..<1_000 { say(.head(InboxSequence(rawValue: UInt64(Int64.max))), of: bob) }
        relay.store.releaseReads()
        relay.run()
        let pages = relay.store.pagesRead
        relay.advance(seconds: 10)
        #expect(relay.store.pagesRead == pages && pages <= 2)
        sender.message("r", to: bob)
        #expect(receiver.events() == [1])
    }
}
