import BatonCore
import BatonTestKit
import NIOCore
import Testing

@testable import BatonRedis

@Suite("Scripts", .timeLimit(.minutes(1)))
struct ScriptTests {
    private static let alice = UserID(rawValue: 0xa11ce)
    private static let phone = DeviceID(rawValue: 1)

    private static func session(_ name: String, generation: UInt64) -> Session {
        Session(
            user: alice, device: phone, node: NodeID(name)!, incarnation: 1,
            generation: ConnectionGeneration(rawValue: generation), since: Timestamp(milliseconds: 0), client: "test")
    }

    private static func run<Script: RedisScript & Sendable>(
        _ script: Script, _ client: RedisClient
    ) async throws -> Script.Outcome where Script.Outcome: Sendable {
        let result = await client.ask { loop, answer in loop.commands.run(script, completion: answer) }
        return try #require(result).get()
    }

    private static func ttl(_ key: String, _ client: RedisClient) async throws -> Int64 {
        try await client.run(RedisCommand("TTL", key)).integer ?? -3
    }

    @Test("write_session: a hash field with a TTL, which keeps its compact encoding")
    func writeSession() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { (client, _) async throws -> Void in
                let key = Keys.session(Self.alice)
                let mine = Self.session("one", generation: 5)
                #expect(try await Self.run(WriteSession(session: mine), client) == .written)
                let text = try await client.run(RedisCommand("HGET", key, "\(Self.phone)")).text ?? ""
                #expect(text.hasPrefix("\(mine.text) renewed="))
                #expect(Session(user: Self.alice, device: Self.phone, text: text) == mine)
                #expect(try await client.run(RedisCommand("OBJECT", "ENCODING", key)).text == "listpack")
                _ = try await client.run(RedisCommand("EXPIRE", key, "9"))
                #expect(try await Self.run(WriteSession(session: mine), client) == .renewed)
                #expect(try await (74...75).contains(Self.ttl(key, client)))
                let newer = Self.session("two", generation: 6)
                #expect(try await Self.run(WriteSession(session: newer), client) == .displacedOlder)
                #expect(try await Self.run(WriteSession(session: mine), client) == .heldByNewer)
                // Of connections that the store could not number the first holds on.
                let (first, second) = (Self.session("one", generation: 0), Self.session("two", generation: 0))
                _ = try await client.run(RedisCommand("DEL", key))
                #expect(try await Self.run(WriteSession(session: first), client) == .written)
                #expect(try await Self.run(WriteSession(session: second), client) == .heldByNewer)
                #expect(try await Self.run(WriteSession(session: mine), client) == .displacedOlder)
                // Something that no node wrote is overwritten.
                _ = try await client.run(RedisCommand("HSET", key, "\(Self.phone)", "junk"))
                #expect(try await Self.run(WriteSession(session: mine), client) == .displacedOlder)
            }
        }
    }

    @Test("write_session takes out what nobody has renewed for the TTL, though other devices keep the hash alive")
    func ghosts() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { (client, _) async throws -> Void in
                let key = Keys.session(Self.alice)
                let mine = Self.session("one", generation: 5)
                let now = try #require(
                    try await client.run(RedisCommand("TIME")).array?.first?.text.flatMap { Int64($0) })
                let others: [(device: String, value: String)] = [
                    ("0000000000002", "\(mine.text) renewed=\(now - Limits.Presence.sessionSeconds - 2)"),
                    ("0000000000003", "\(mine.text) renewed=\(now - Limits.Presence.sessionSeconds + 20)"),
                    // A node of the version before wrote it.
                    ("0000000000004", mine.text),
                ]
                for other in others { _ = try await client.run(RedisCommand("HSET", key, other.device, other.value)) }
                #expect(try await Self.run(WriteSession(session: mine), client) == .written)
                let left = try await client.run(RedisCommand("HKEYS", key)).array?.compactMap(\.text) ?? []
                #expect(Set(left) == ["\(Self.phone)", "0000000000003", "0000000000004"])
                // The own one too: it is written anew.
                let old = "\(Self.session("two", generation: 9).text) renewed=\(now - 1_000)"
                _ = try await client.run(RedisCommand("HSET", key, "\(Self.phone)", old))
                #expect(try await Self.run(WriteSession(session: mine), client) == .written)
                #expect(try await Self.run(RemoveSession(session: mine), client) == (2, false))
            }
        }
    }

    @Test("remove_session: by compare, and tells whether the same node holds the device")
    func removeSession() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { (client, _) async throws -> Void in
                let older = Self.session("one", generation: 5)
                let newer = Self.session("one", generation: 6)
                _ = try await Self.run(WriteSession(session: newer), client)
                #expect(try await Self.run(RemoveSession(session: older), client) == (1, true))
                #expect(try await Self.run(RemoveSession(session: newer), client) == (0, false))
                _ = try await Self.run(WriteSession(session: Self.session("one-more", generation: 7)), client)
                #expect(try await Self.run(RemoveSession(session: newer), client) == (1, false))
            }
        }
    }

    @Test("remove_dead_sessions: of that node and that incarnation only")
    func removeDeadSessions() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { (client, _) async throws -> Void in
                _ = try await Self.run(WriteSession(session: Self.session("one", generation: 5)), client)
                func dead(_ name: String, _ incarnation: UInt64) -> RemoveDeadSessions {
                    RemoveDeadSessions(user: Self.alice, node: NodeID(name)!, incarnation: incarnation)
                }
                #expect(try await Self.run(dead("on", 1), client) == 1)
                #expect(try await Self.run(dead("one", 11), client) == 1)
                #expect(try await Self.run(dead("one", 1), client) == 0)
                #expect(try await client.run(RedisCommand("EXISTS", Keys.session(Self.alice))).integer == 0)
            }
        }
    }

    @Test("leave_presence: only without a session, and the last heartbeat counts where presence ran out")
    func leavePresence() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { (client, _) async throws -> Void in
                let session = Self.session("one", generation: 5)
                _ = try await Self.run(WriteSession(session: session), client)
                let leave = LeavePresence(user: Self.alice, now: Timestamp(milliseconds: 5_000))
                #expect(try await Self.run(leave, client) == false)
                _ = try await Self.run(RemoveSession(session: session), client)
                _ = try await client.run(
                    RedisCommand("SET", Keys.lastSeen(Self.alice), Timestamp(milliseconds: 3_000).text))
                #expect(try await Self.run(leave, client) == true)
                #expect(
                    await client.presence(of: [Self.alice])
                        == [Self.alice: .offline(lastSeen: Timestamp(milliseconds: 3_000))])
            }
        }
    }

    @Test("A heartbeat leaves a presence that runs out, and a last seen that does not")
    func heartbeat() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let came: [UserID]? = try await node.ask {
                    $0.presence.heartbeat([Self.alice], at: Timestamp(milliseconds: 7), completion: $1)
                }
                #expect(came == [Self.alice])
                #expect(try await (59...60).contains(Self.ttl(Keys.presence(Self.alice), client)))
                #expect(try await Self.ttl(Keys.lastSeen(Self.alice), client) == -1)
            }
        }
    }

    @Test("renew_lease and release_lease: an incarnation's own, with a TTL")
    func leases() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { (client, _) async throws -> Void in
                func lease(_ incarnation: UInt64) -> NodeLease {
                    NodeLease(
                        node: TestRedis.node, incarnation: incarnation, address: "127.0.0.1:1", state: .up,
                        connections: 0, since: Timestamp(milliseconds: 0))
                }
                let key = Keys.node(TestRedis.node)
                func isHeld(_ lease: NodeLease, disbelieved: String = "") async throws -> String? {
                    let script = RenewLease(lease: lease, provenBy: TestRedis.seal(), disbelieved: disbelieved)
                    switch try await Self.run(script, client) {
                    case .held: return nil
                    case .heldByLater(let holder): return holder.digest
                    }
                }
                #expect(try await isHeld(lease(1)) == nil)
                #expect(try await (14...15).contains(Self.ttl(key, client)))
                #expect(try await isHeld(lease(2)) == nil)
                let later = try #require(try await isHeld(lease(1)))
                #expect(try await isHeld(lease(1), disbelieved: "other") == later)
                #expect(try await isHeld(lease(1), disbelieved: later) == nil)
                #expect(try await isHeld(lease(2)) == nil)
                #expect(try await Self.run(ReleaseLease(lease: lease(1)), client) == false)
                #expect(try await Self.run(ReleaseLease(lease: lease(2)), client) == true)
            }
        }
    }

    @Test(
        "A lease that no node of the cluster has written stops no node and gives way, one of a later start stops it",
        arguments: [
            ["HSET", "incarnation", "18446744073709551615", "address", "evil:1", "proof", "0"],
            ["HSET", "incarnation", "inf"], ["HSET", "incarnation", "nan"], ["HSET", "incarnation", "\u{0}"],
            ["HSET", "address", "evil:1"], ["HSET", "incarnation", "9", "proof", String(repeating: "0", count: 26)],
            ["SET", "evil"], ["SADD", "evil"],
        ])
    func forgedLease(words: [String]) async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let lease = NodeLease(
                    node: TestRedis.node, incarnation: 5, address: "127.0.0.1:1", state: .up, connections: 0,
                    since: Timestamp(milliseconds: 0))
                func isHeld() async throws -> Bool? {
                    try await node.ask { $0.nodes.renewLease(lease, completion: $1) }
                }
                #expect(try await isHeld() == true)
                var command = RedisCommand(words[0], Keys.node(TestRedis.node))
                for word in words.dropFirst() { command.append(word) }
                if words[0] == "SADD" { _ = try await client.run(RedisCommand("DEL", Keys.node(TestRedis.node))) }
                _ = try await client.run(command)
                #expect(try await isHeld() == true)
                #expect(await client.nodes() == [lease])

                let later = NodeLease(
                    node: TestRedis.node, incarnation: 6, address: "127.0.0.1:2", state: .up, connections: 0,
                    since: Timestamp(milliseconds: 0))
                let proven = RenewLease(lease: later, provenBy: TestRedis.seal())
                guard case .held = try await Self.run(proven, client) else { return #expect(Bool(false)) }
                #expect(try await isHeld() == false)
                // Its proof is worth nothing under another address.
                _ = try await client.run(RedisCommand("HSET", Keys.node(TestRedis.node), "address", "evil:1"))
                #expect(try await isHeld() == true)
            }
        }
    }

    @Test("release_lock: the holder's only; while another holds it nothing is cleaned up")
    func lock() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                _ = try await client.run(RedisCommand("SET", Keys.cleanUpLock, "two"))
                let orphaned: [UserID]? = try await node.ask {
                    $0.nodes.removeSessionsOfDeadNodes(by: TestRedis.node, completion: $1)
                }
                #expect(orphaned == nil)
                #expect(try await Self.run(ReleaseLock(holder: TestRedis.node), client) == false)
                #expect(try await Self.run(ReleaseLock(holder: NodeID("two")!), client) == true)
                let again: [UserID]? = try await node.ask {
                    $0.nodes.removeSessionsOfDeadNodes(by: TestRedis.node, completion: $1)
                }
                #expect(again == [])
                #expect(try await client.run(RedisCommand("EXISTS", Keys.cleanUpLock)).integer == 0)
            }
        }
    }

    @Test("take_tokens: shared by all who ask, atomic, and gone when the bucket is full again")
    func tokens() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient(loops: 2) { client, _ in
                let limiter = RedisRateLimiter(client: client)
                let bucket = RateLimitBucket(who: "alice", what: "login", capacity: 5, secondsPerToken: 100)
                let allowed = await withTaskGroup(of: RateLimitDecision.self) { group in
                    for _ in 0..<50 { group.addTask { await limiter.take(1, from: bucket) } }
                    return await group.reduce(into: 0) { $0 += $1 == .allowed ? 1 : 0 }
                }
                #expect(allowed == 5)
                guard case .refused(let wait) = await limiter.take(1, from: bucket) else {
                    return #expect(Bool(false), "the bucket is empty")
                }
                #expect((90_000...100_000).contains(wait))
                #expect(try await (400...500).contains(Self.ttl(Keys.limit(bucket), client)))
                let value = try await client.run(RedisCommand("GET", Keys.limit(bucket))).text ?? ""
                #expect(value.hasPrefix("tokens=0.0"))
                // What is given back can be taken again, and no more than the bucket holds.
                await limiter.giveBack(1, to: bucket)
                #expect(await limiter.take(1, from: bucket) == .allowed)
                #expect(await limiter.take(1, from: bucket) != .allowed)
                await limiter.giveBack(99, to: bucket)
                #expect(await limiter.take(6, from: bucket) != .allowed)
                #expect(await limiter.take(5, from: bucket) == .allowed)
                _ = try await client.run(RedisCommand("SET", Keys.limit(bucket), "junk"))
                #expect(await limiter.take(5, from: bucket) == .allowed)

                // The largest that can be configured is full again in its minute like any other.
                let capacity = 1 << 40
                let large = RateLimitBucket(
                    who: "alice", what: "bytes", capacity: capacity, secondsPerToken: 60 / Double(capacity))
                #expect(await limiter.take(capacity, from: large) == .allowed)
                guard case .refused(let minute) = await limiter.take(capacity, from: large) else {
                    return #expect(Bool(false), "the bucket is empty")
                }
                #expect((1...60_000).contains(minute))
            }
        }
    }

    @Test("More dead sessions than one call removes are removed by the next")
    func cleanUpBound() async throws {
        try await TestRedis.run { redis in
            try await redis.withClient { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let count = Limits.Redis.cleanUpSessions + 1
                let dead = NodeLease(
                    node: TestRedis.node, incarnation: 1, address: "127.0.0.1:1", state: .up, connections: 0,
                    since: Timestamp(milliseconds: 0))
                let isHeld: Bool? = try await node.ask { $0.nodes.renewLease(dead, completion: $1) }
                #expect(isHeld == true)
                let sessions = (1...count).map { number in
                    Session(
                        user: UserID(rawValue: UInt64(number)), device: Self.phone, node: TestRedis.node,
                        incarnation: 1, generation: ConnectionGeneration(rawValue: 1),
                        since: Timestamp(milliseconds: 0), client: "test")
                }
                let outcomes: [Session: SessionWriting] = try await node.ask {
                    $0.sessions.write(sessions, completion: $1)
                }
                #expect(outcomes.count == count)
                _ = try await node.ask { (ports, answer: @escaping (Bool) -> Void) in
                    ports.nodes.releaseLease(dead) { answer(true) }
                }
                var orphaned: [Int] = []
                for _ in 0..<3 {
                    let users: [UserID]? = try await node.ask {
                        $0.nodes.removeSessionsOfDeadNodes(by: TestRedis.node, completion: $1)
                    }
                    orphaned.append(users?.count ?? -1)
                }
                #expect(orphaned == [count - 1, 1, 0])
                #expect(try await client.run(RedisCommand("DBSIZE")).integer == 0)
            }
        }
    }
}
