import BatonCore
import BatonTestKit
import NIOCore
import Synchronization
import Testing

@testable import BatonRedis

@Suite("When Redis fails")
struct ReconnectTests {
    private static let alice = UserID(rawValue: 0xa11ce)

    private static func publish(_ node: LivenessSubject.Node) async throws -> Int? {
        try await node.ask { ports, answer in
            ports.bus.publish(.head(InboxSequence(rawValue: 1)), to: .user(alice), receivers: answer)
        }
    }

    private static func events(_ node: LivenessSubject.Node, _ count: Int) async throws -> [RecordingBusReceiver.Event]
    {
        try await node.ask { ports, answer in ports.receiver.whenThere(are: count, answer) }
    }

    @Test(
        "After kill -9 and a restart all subscriptions are there again, and the receiver is told",
        .timeLimit(.minutes(1)))
    func killed() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                for number in 1...300 {
                    let user = UserID(rawValue: UInt64(number))
                    let isConfirmed: Bool = try await node.ask { $0.bus.subscribe(.user(user), confirmed: $1) }
                    #expect(isConfirmed)
                }
                redis.server.kill()
                #expect(try await Self.events(node, 1) == [.lost])
                #expect(try await Self.publish(node) == nil)
                // Wanted from now on, though it cannot be confirmed.
                let isConfirmed: Bool = try await node.ask { $0.bus.subscribe(.user(Self.alice), confirmed: $1) }
                #expect(!isConfirmed)
                #expect(await client.health().map(\.isConnected) == [false])

                try await redis.server.restart()
                #expect(try await Self.events(node, 2) == [.lost, .restored])
                #expect(await client.waitUntilConnected(for: .seconds(10)))
                #expect(try await Self.publish(node) == 1)
                #expect(
                    try await Self.events(node, 3).last
                        == .message(.head(InboxSequence(rawValue: 1)), .user(Self.alice)))
                let channels = try await client.run(RedisCommand("PUBSUB", "NUMSUB", "user:{000000000009c}"))
                #expect(channels.array?.last == .integer(1))
                let all = try await client.run(RedisCommand("PUBSUB", "CHANNELS", "user:*"))
                // The probe is among them.
                #expect(all.array?.count == 302)
            }
        }
    }

    @Test("Scripts that Redis forgot are sent again", .timeLimit(.minutes(1)))
    func scriptFlush() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let limiter = RedisRateLimiter(client: client)
                let bucket = RateLimitBucket(who: "alice", what: "login", capacity: 1, secondsPerToken: 60)
                #expect(await limiter.take(1, from: bucket) == .allowed)
                _ = try await client.run(RedisCommand("SCRIPT", "FLUSH", "SYNC"))
                #expect(await limiter.take(1, from: bucket) != .allowed)
            }
        }
    }

    @Test("After FLUSHALL renewals and heartbeats write everything anew", .timeLimit(.minutes(1)))
    func flushed() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let session = Session(
                    user: Self.alice, device: DeviceID(rawValue: 1), node: TestRedis.node, incarnation: 1,
                    generation: ConnectionGeneration(rawValue: 1), since: Timestamp(milliseconds: 1_000), client: "test"
                )
                let lease = NodeLease(
                    node: TestRedis.node, incarnation: 1, address: "127.0.0.1:1", state: .up, connections: 1,
                    since: Timestamp(milliseconds: 1_000))
                func beat() async throws -> [UserID]? {
                    try await node.ask {
                        $0.presence.heartbeat([Self.alice], at: Timestamp(milliseconds: 1_000), completion: $1)
                    }
                }
                func renew() async throws {
                    let outcomes: [Session: SessionWriting] = try await node.ask {
                        $0.sessions.write([session], completion: $1)
                    }
                    #expect(outcomes == [session: .written])
                    let isHeld: Bool? = try await node.ask { $0.nodes.renewLease(lease, completion: $1) }
                    #expect(isHeld == true)
                }
                #expect(try await beat() == [Self.alice])
                try await renew()
                _ = try await client.run(RedisCommand("FLUSHALL"))
                #expect(await client.presence(of: [Self.alice]) == [Self.alice: .offline(lastSeen: nil)])
                #expect(try await client.sessions(of: Self.alice).isEmpty)
                #expect(try await beat() == [Self.alice])
                try await renew()
                #expect(await client.presence(of: [Self.alice]) == [Self.alice: .online])
                #expect(try await client.sessions(of: Self.alice) == [session])
                #expect(await client.nodes() == [lease])
            }
        }
    }

    @Test("A subscriber that hears nothing of its probe is torn down and comes back", .timeLimit(.minutes(1)))
    func deafSubscriber() async throws {
        let observer = CountingObserver()
        try await TestRedis.run { redis in
            var redis = redis
            redis.settings.probeInterval = .milliseconds(150)
            try await redis.withClient(observer: observer) { client, eventLoops in
                let eventLoop = eventLoops[0]
                let node = try await LivenessSubject.Node(client, on: eventLoop)
                _ = try await node.ask { (ports, answer: @escaping (Bool) -> Void) in
                    ports.bus.subscribe(.user(Self.alice), confirmed: answer)
                }
                // Redis forgets the probe's channel and the user's, and the socket stays open: nobody tells the node.
                try await eventLoop.submit { client.loop(on: eventLoop).deafen() }.get()
                #expect(try await Self.events(node, 2).prefix(2) == [.lost, .restored])
                #expect(try await Self.publish(node) == 1)
                #expect(observer.missedProbes > 0)
            }
        }
    }

    @Test(
        "A Redis that is stopped but keeps its sockets open is noticed, and again when it goes on",
        .timeLimit(.minutes(1)))
    func stopped() async throws {
        try await TestRedis.run { redis in
            var redis = redis
            // Long enough that a busy machine is not taken for a Redis that stands still.
            redis.settings.probeInterval = .milliseconds(200)
            redis.settings.commandTimeout = .seconds(1)
            redis.settings.connectTimeout = .seconds(1)
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                redis.server.pause()
                // Probes wait for their replies in vain; first the one connection goes, then the other.
                #expect(try await Self.events(node, 1) == [.lost])
                #expect(await client.health().map(\.isConnected) == [false])
                redis.server.resume()
                #expect(try await Self.events(node, 2) == [.lost, .restored])
                #expect(await client.waitUntilConnected(for: .seconds(10)))
            }
        }
    }

    @Test("With Redis away everything completes at once, and limits are the node's own", .timeLimit(.minutes(1)))
    func away() async throws {
        let observer = CountingObserver()
        try await TestRedis.run { redis in
            try await redis.withClient(observer: observer) { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let limiter = RedisRateLimiter(client: client, observer: observer)
                let bucket = RateLimitBucket(who: "alice", what: "login", capacity: 1, secondsPerToken: 60)
                #expect(await limiter.take(1, from: bucket) == .allowed)
                redis.server.kill()
                #expect(try await Self.events(node, 1) == [.lost])
                // The command connection may be found dead a little later; its command is completed then.
                #expect(try await Self.publish(node) == nil)
                #expect(await limiter.take(1, from: bucket) == .allowed)
                #expect(await limiter.take(1, from: bucket) != .allowed)
                #expect(observer.localLimits == 2)
                await limiter.giveBack(1, to: bucket)
                #expect(await limiter.take(1, from: bucket) == .allowed)
                #expect(observer.failedPublishes > 0)
                #expect(await client.announceRevoked(DeviceID(rawValue: 1), of: Self.alice) == false)
                #expect(await client.presence(of: [Self.alice]) == nil)
                #expect(await client.nodes() == nil)
                let session = Session(
                    user: Self.alice, device: DeviceID(rawValue: 1), node: TestRedis.node, incarnation: 1,
                    generation: ConnectionGeneration(rawValue: 1), since: Timestamp(milliseconds: 0), client: "")
                let outcomes: [Session: SessionWriting] = try await node.ask {
                    $0.sessions.write([session], completion: $1)
                }
                #expect(outcomes.isEmpty)
            }
        }
    }

    @Test("A removal that Redis was not there for is made up for with the next renewal", .timeLimit(.minutes(1)))
    func lateRemoval() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let session = Session(
                    user: Self.alice, device: DeviceID(rawValue: 1), node: TestRedis.node, incarnation: 1,
                    generation: ConnectionGeneration(rawValue: 1), since: Timestamp(milliseconds: 0), client: "")
                let written: [Session: SessionWriting] = try await node.ask {
                    $0.sessions.write([session], completion: $1)
                }
                #expect(written == [session: .written])
                let reply: Int? = try await node.ask { ports, answer in
                    // The command is still in line when the connection is torn down.
                    ports.sessions.remove(session, completion: answer)
                    client.loop(on: eventLoops[0]).dropCommands()
                }
                #expect(reply == nil)
                #expect(await client.waitUntilConnected(for: .seconds(10)))
                let nothing: [Session: SessionWriting] = try await node.ask { $0.sessions.write([], completion: $1) }
                #expect(nothing.isEmpty)
                #expect(try await client.sessions(of: Self.alice).isEmpty)
            }
        }
    }
}

/// Counts what it is told.
final class CountingObserver: RedisObserver {
    private let counts = Mutex((missed: 0, failed: 0, local: 0, published: 0))

    var missedProbes: Int { counts.withLock { $0.missed } }
    var failedPublishes: Int { counts.withLock { $0.failed } }
    var localLimits: Int { counts.withLock { $0.local } }

    func probeMissed() { counts.withLock { $0.missed += 1 } }
    func publishFailed(_ error: RedisError) { counts.withLock { $0.failed += 1 } }
    func limitedLocally() { counts.withLock { $0.local += 1 } }
    func published(receivers: Int) { counts.withLock { $0.published += 1 } }
}

extension RedisLoop {
    /// Unsubscribes everything behind the bus' back, as a failover that forgets subscriptions does.
    fileprivate func deafen() {
        // Each channel is answered.
        let answers: [RedisHandler.Completion] = (0..<redisBus.subscriptionCount).map { _ in { _ in } }
        subscriberLink.send(RedisCommand("UNSUBSCRIBE"), completions: answers)
    }

    fileprivate func dropCommands() { commandLink.tearDown(.connectionLost) }
}
