import BatonCore
import BatonTestKit
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import BatonRedis

@Suite("What Redis refuses")
struct StandingTests {
    private static let alice = UserID(rawValue: 0xa11ce)
    private static let quiet = Limits.Redis.refusalQuietSeconds
    private static let memory = Limits.Redis.refusalMemorySeconds

    // MARK: The machine

    private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test("A function is refused from the first refusal on, and works again once, after a while without one")
    func lines() {
        var machine = RedisStanding.Machine()
        #expect(machine.worked(.hints, now: Self.at(0)).isEmpty)
        #expect(
            machine.failed(.hints, .noPermission, text: "NOPERM", now: Self.at(0))
                == [.began(.hints, .noPermission, text: "NOPERM")])
        for second in 1...99 {
            #expect(machine.failed(.hints, .other, text: "ERR", now: Self.at(Int64(second))).isEmpty)
            #expect(machine.worked(.hints, now: Self.at(Int64(second))).isEmpty, "now so, now so")
        }
        #expect(machine.refused == [.hints: .other] && machine.mask == RedisFunction.hints.bit)
        #expect(machine.worked(.sessions, now: Self.at(99 + Self.quiet)).isEmpty)
        #expect(machine.worked(.hints, now: Self.at(99 + Self.quiet - 1)).isEmpty)
        #expect(
            machine.worked(.hints, now: Self.at(99 + Self.quiet))
                == [.ended(.hints, after: .seconds(99 + Self.quiet))])
        #expect(machine.refused.isEmpty && machine.mask == 0)
    }

    @Test("What refuses every write refuses all functions that write, and ends for all of them")
    func allWrites() {
        for refusal in RedisRefusal.allCases {
            var machine = RedisStanding.Machine()
            _ = machine.failed(.leases, refusal, text: "", now: Self.at(0))
            let expected: Set<RedisFunction> =
                refusal.concernsAllWrites ? [.sessions, .presence, .leases, .limits] : [.leases]
            #expect(Set(machine.refused.keys) == expected)
            #expect(machine.worked(.presence, now: Self.at(Self.quiet)).count == (expected.count == 4 ? 4 : 0))
        }
        var machine = RedisStanding.Machine()
        _ = machine.failed(.limits, .noPermission, text: "", now: Self.at(0))
        _ = machine.failed(.leases, .readOnly, text: "", now: Self.at(0))
        _ = machine.failed(.limits, .noPermission, text: "", now: Self.at(1))
        _ = machine.worked(.leases, now: Self.at(1 + Self.quiet))
        #expect(machine.refused == [.limits: .noPermission], "it has a reason of its own")
        #expect(machine.failed(.hints, .readOnly, text: "", now: Self.at(2)).count == 1, "publishing is no write")
    }

    @Test("What nobody tries any more is forgotten after so long")
    func forgotten() {
        var machine = RedisStanding.Machine()
        _ = machine.failed(.limits, .noPermission, text: "", now: Self.at(0))
        #expect(machine.looked(now: Self.at(Self.memory - 1)).isEmpty)
        #expect(machine.looked(now: Self.at(Self.memory)) == [.ended(.limits, after: .seconds(Self.memory))])
    }

    @Test(
        "Each kind of refusal is known by Redis' words",
        arguments: [
            ("NOPERM this user has no permissions to run the 'publish' command", RedisRefusal.noPermission),
            ("NOPERM this user has no permissions to access one of the channels used as arguments", .noPermission),
            (
                "ERR The user executing the script can't run this command or subcommand script: c7e, on @user_script:47.",
                .noPermission
            ),
            ("NOAUTH Authentication required.", .noPassword),
            ("WRONGPASS invalid username-password pair or user is disabled.", .wrongPassword),
            (
                "ERR AUTH <password> called without any password configured for the default user. Are you sure",
                .wrongPassword
            ),
            ("READONLY You can't write against a read only replica. script: c7e, on @user_script:46.", .readOnly),
            ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory),
            ("ERR Error running script (call to f_1): @user_script:3: -OOM command not allowed", .outOfMemory),
            ("LOADING Redis is loading the dataset in memory", .loading),
            ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to", .snapshotFailed),
            ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", .primaryDown),
            ("NOREPLICAS Not enough good replicas to write.", .noReplicas),
            ("BUSY Redis is busy running a script. You can only call SCRIPT KILL", .busy),
            ("MOVED 3999 127.0.0.1:6381", .cluster), ("CLUSTERDOWN Hash slot not served", .cluster),
            ("ERR max number of clients reached", .tooManyClients),
            ("ERR unknown command 'GETEX', with args beginning with: 'x'", .unknownCommand),
            ("ERR unknown subcommand 'foo'. Try CLIENT HELP.", .unknownCommand), ("ERR syntax error", .unknownCommand),
            ("ERR DB index is out of range", .unknownCommand),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", .wrongType),
            ("ERR something new", .other), ("SOMETHING new", .other), ("", .other),
        ])
    func words(text: String, refusal: RedisRefusal) {
        #expect(RedisRefusal(.refused(text)) == refusal)
        for error in [RedisError.notConnected, .timedOut, .overloaded, .brokenReply(text), .transport(text)] {
            #expect(RedisRefusal(error) == nil)
        }
    }

    // MARK: Real servers

    /// Hears the changes, in order.
    private final class Changes: Sendable {
        let standing: RedisStanding
        private let changes: AsyncStream<RedisStanding.Change>
        private let heard = Mutex<[RedisStanding.Change]>([])
        /// By how much the standing's time is ahead.
        private let ahead: Ahead

        private final class Ahead: Sendable { let amount = Mutex(TimeAmount.zero) }

        init() {
            let (changes, continuation) = AsyncStream<RedisStanding.Change>.makeStream()
            self.changes = changes
            let ahead = Ahead()
            self.ahead = ahead
            standing = RedisStanding(
                now: { .now() + ahead.amount.withLock { $0 } }, onChange: { continuation.yield($0) })
        }

        /// As if it had been quiet for long enough.
        func quiet() { ahead.amount.withLock { $0 = $0 + .seconds(StandingTests.quiet) } }

        func until(_ isThere: (RedisStanding.Change) -> Bool) async {
            for await change in changes {
                heard.withLock { $0.append(change) }
                if isThere(change) { return }
            }
        }

        func untilBegan(_ function: RedisFunction, _ refusal: RedisRefusal) async {
            await until { if case .began(function, refusal, _) = $0 { true } else { false } }
        }

        func untilEnded(_ function: RedisFunction) async {
            await until { if case .ended(function, _) = $0 { true } else { false } }
        }

        var all: [RedisStanding.Change] { heard.withLock { $0 } }
    }

    private static func run(_ client: RedisClient, _ words: String...) async throws {
        var command = RedisCommand()
        for word in words { command.append(word) }
        _ = try await client.run(command)
    }

    @Test(
        "PUBLISH refused: the probe finds it, the bus says that it carries nothing, and then that it does",
        .timeLimit(.minutes(1)))
    func publish() async throws {
        let changes = Changes()
        try await TestRedis.run { redis in
            var redis = redis
            redis.settings.probeInterval = .milliseconds(300)
            try await redis.withClient(standing: changes.standing) { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                func carries() async throws -> Bool { try await node.ask { $1($0.bus.carriesHints) } }
                #expect(try await carries())
                try await Self.run(client, "ACL", "SETUSER", "default", "-publish")
                await changes.untilBegan(.hints, .noPermission)
                #expect(try await !carries())
                #expect(await client.health().map(\.isConnected) == [true])
                let receivers: Int? = try await node.ask {
                    $0.bus.publish(.head(InboxSequence(rawValue: 1)), to: .user(Self.alice), receivers: $1)
                }
                #expect(receivers == nil)
                try await Self.run(client, "ACL", "SETUSER", "default", "+publish")
                changes.quiet()
                await changes.untilEnded(.hints)
                #expect(try await carries())
                #expect(changes.all.count == 2)
            }
        }
    }

    @Test("Channels refused: one line, and connections that come more and more seldom", .timeLimit(.minutes(1)))
    func channels() async throws {
        let (changes, observer) = (Changes(), ConnectionCounter())
        var options = RedisServerFixture.Options()
        options.arguments = ["--user", "relay", "on", ">p", "~*", "resetchannels", "+@all"]
        try await TestRedis.run(options) { redis in
            var redis = redis
            redis.settings.url = try RedisURL("redis://relay:p@127.0.0.1:\(redis.server.port)")
            redis.settings.backoff = RedisSettings(url: redis.settings.url).backoff
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let client = try await RedisClient.start(
                on: [loop], node: TestRedis.node, settings: redis.settings, standing: changes.standing,
                observer: observer, logger: TestRedis.silence)
            await changes.untilBegan(.subscriptions, .noPermission)
            let began = ContinuousClock.now
            await observer.untilConnected(times: 5)
            // 27 a second, without a growing backoff.
            #expect(ContinuousClock.now - began > .milliseconds(700))
            #expect(await client.health().map(\.isConnected) == [false])
            #expect(changes.standing.refused == [.subscriptions: .noPermission])
            // Other nodes' users may subscribe: the node finds out by itself.
            let admin = try await RedisClient.start(
                on: [loop], node: NodeID("admin")!, settings: RedisSettings(url: try RedisURL(redis.server.url)),
                logger: TestRedis.silence)
            _ = await admin.waitUntilConnected(for: .seconds(10))
            try await Self.run(admin, "ACL", "SETUSER", "relay", "allchannels")
            changes.quiet()
            #expect(await client.waitUntilConnected(for: .seconds(20)))
            await changes.untilEnded(.subscriptions)
            #expect(changes.all.count == 2)
            await admin.close()
            await client.close()
        }
    }

    @Test(
        "A Redis that takes no writes: each function that writes is refused, whatever the reason, and works again",
        .timeLimit(.minutes(1)),
        arguments: [
            (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"], RedisRefusal.readOnly),
            (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], .outOfMemory),
        ])
    func noWrites(breaking: [String], mending: [String], refusal: RedisRefusal) async throws {
        let changes = Changes()
        let writing: [RedisFunction] = [.sessions, .presence, .leases, .limits]
        try await TestRedis.run { redis in
            try await redis.withClient(standing: changes.standing) { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                for function in writing { try await Self.use(function, client, node) }
                #expect(changes.standing.refused.isEmpty)
                for function in writing {
                    try await Self.run(client, words: breaking)
                    try await Self.use(function, client, node)
                    await changes.untilBegan(function, refusal)
                    #expect(changes.standing.refused == Dictionary(uniqueKeysWithValues: writing.map { ($0, refusal) }))
                    try await Self.run(client, words: mending)
                    try await Self.use(function, client, node)
                    #expect(changes.standing.refused.count == 4, "not at once")
                    changes.quiet()
                    try await Self.use(function, client, node)
                    await changes.untilEnded(.limits)
                    #expect(changes.standing.refused.isEmpty)
                }
                #expect(changes.all.count == 4 * 2 * writing.count)
            }
        }
    }

    @Test("A right that is taken from the user refuses what needs it", .timeLimit(.minutes(1)))
    func rights() async throws {
        let changes = Changes()
        try await TestRedis.run { redis in
            try await redis.withClient(standing: changes.standing) { client, eventLoops in
                let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                let rights: [(String, String, [RedisFunction])] = [
                    ("-evalsha", "+evalsha", [.sessions, .leases, .limits]), ("-hset", "+hset", [.sessions, .leases]),
                    ("-set", "+set", [.presence]),
                ]
                for (taking, giving, functions) in rights {
                    try await Self.run(client, "ACL", "SETUSER", "default", taking)
                    for function in functions {
                        try await Self.use(function, client, node)
                        await changes.untilBegan(function, .noPermission)
                    }
                    #expect(Set(changes.standing.refused.keys) == Set(functions))
                    try await Self.run(client, "ACL", "SETUSER", "default", giving)
                    changes.quiet()
                    for function in functions {
                        try await Self.use(function, client, node)
                        await changes.untilEnded(function)
                    }
                }
            }
        }
    }

    @Test("A wrong password and a Redis that still loads are told, and end by themselves", .timeLimit(.minutes(1)))
    func login() async throws {
        let changes = Changes()
        var options = RedisServerFixture.Options()
        options.arguments = [
            "--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024", "--dbfilename", "dump.rdb",
        ]
        try await TestRedis.run(options) { redis in
            try await redis.withClient(standing: changes.standing) { client, eventLoops in
                try await Self.run(client, "CONFIG", "SET", "requirepass", "new")
                try await Self.run(client, "CLIENT", "KILL", "TYPE", "pubsub")
                await changes.untilBegan(.login, .noPassword)
                try await Self.run(client, "CONFIG", "SET", "requirepass", "")
                #expect(await client.waitUntilConnected(for: .seconds(10)))
                for key in 0..<100 { try await Self.run(client, "SET", "k\(key)", "v") }
                try await Self.run(client, "SAVE")
                redis.server.kill()
                changes.quiet()
                try await redis.server.restart()
                #expect(await client.waitUntilConnected(for: .seconds(20)))
                changes.quiet()
                #expect(changes.standing.refused.values.allSatisfy { $0 == .loading || $0 == .noPassword })
                #expect(changes.standing.isRefused(.login) == false || changes.standing.refused[.login] == .loading)
            }
        }
    }

    private static func run(_ client: RedisClient, words: [String]) async throws {
        var command = RedisCommand()
        for word in words { command.append(word) }
        _ = try await client.run(command)
    }

    /// Does what takes all that a function needs.
    private static func use(_ function: RedisFunction, _ client: RedisClient, _ node: LivenessSubject.Node) async throws
    {
        let now = Timestamp(milliseconds: 1_000)
        switch function {
        case .sessions:
            let session = Session(
                user: alice, device: DeviceID(rawValue: 1), node: TestRedis.node, incarnation: 1,
                generation: ConnectionGeneration(rawValue: 1), since: now, client: "test")
            _ = try await node.ask { (ports, answer: @escaping ([Session: SessionWriting]) -> Void) in
                ports.sessions.write([session], completion: answer)
            }
        case .presence:
            _ = try await node.ask { (ports, answer: @escaping ([UserID]?) -> Void) in
                ports.presence.heartbeat([alice], at: now, completion: answer)
            }
        case .leases:
            let lease = NodeLease(
                node: TestRedis.node, incarnation: 1, address: "a:1", state: .up, connections: 0, since: now)
            _ = try await node.ask { (ports, answer: @escaping (Bool?) -> Void) in
                ports.nodes.renewLease(lease, completion: answer)
            }
        case .limits:
            _ = await RedisRateLimiter(client: client).take(
                1, from: RateLimitBucket(who: "alice", what: "login", capacity: 100, secondsPerToken: 1))
        case .login, .hints, .subscriptions: break
        }
    }
}

/// Counts the subscriber's connections that were made.
private final class ConnectionCounter: RedisObserver {
    private let made: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (made, continuation) = AsyncStream<Void>.makeStream() }

    func connected(_ role: RedisRole, attempts: Int) { if role == .subscriber { continuation.yield() } }

    func untilConnected(times: Int) async {
        var times = times
        for await _ in made {
            times -= 1
            if times == 0 { return }
        }
    }
}
