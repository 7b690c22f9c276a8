import BatonCore
import BatonTestKit
import Testing

@testable import BatonRedis

@Suite("What an online user takes in Redis")
struct MemoryTests {
    @Test("Session, presence, last seen, index and subscription stay within 2 KiB", .timeLimit(.minutes(1)))
    func perUser() async throws {
        for listpack in ["192", "64"] {
            var options = RedisServerFixture.Options()
            options.arguments = ["--hash-max-listpack-value", listpack]
            try await TestRedis.run(options) { redis in
                try await redis.withClient { client, eventLoops in
                    let node = try await LivenessSubject.Node(client, on: eventLoops[0])
                    let users = 10_000
                    let before = try await Self.used(client)
                    var generator = SeededGenerator(seed: 1)
                    let sessions = (0..<users).map { _ in
                        let now = Timestamp(milliseconds: 1_800_000_000_000)
                        return Session(
                            user: .random(using: &generator), device: .random(using: &generator), node: TestRedis.node,
                            incarnation: 1_800_000_000_000,
                            generation: .first,
                            since: now, client: "baton-chat/1.0.0")
                    }
                    let outcomes: [Session: SessionWriting] = try await node.ask {
                        $0.sessions.write(sessions, completion: $1)
                    }
                    #expect(outcomes.count == users)
                    let came: [UserID]? = try await node.ask {
                        $0.presence.heartbeat(sessions.map(\.user), at: sessions[0].since, completion: $1)
                    }
                    #expect(came?.count == users)
                    let confirmed: Int = try await node.ask { ports, answer in
                        var count = 0
                        for session in sessions {
                            ports.bus.subscribe(.user(session.user)) { isConfirmed in
                                count += isConfirmed ? 1 : 0
                                if count == users { answer(count) }
                            }
                        }
                    }
                    #expect(confirmed == users)
                    let perUser = (try await Self.used(client) - before) / users
                    #expect(perUser <= 2_048)
                    #expect(perUser > 200, "measured \(perUser)")
                    print("Redis: \(perUser) bytes an online user with hash-max-listpack-value \(listpack)")
                }
            }
        }
    }

    private static func used(_ client: RedisClient) async throws -> Int {
        let info = try await client.run(RedisCommand("INFO", "memory")).text ?? ""
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
        return try #require(line.flatMap { Int($0.dropFirst("used_memory:".count)) })
    }
}
