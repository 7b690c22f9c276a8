import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import Foundation
import Testing

@Suite("A Redis that answers and refuses", .serialized, .timeLimit(.minutes(3)), .cluster(nodes: 2))
struct RedisRefusalTests {
    private func until(_ cluster: TestCluster, _ reasons: [String]) async throws {
        for node in 0...1 {
            try await cluster.untilHealth(of: node) { health in
                reasons.allSatisfy { health.contains(#""\#($0)""#) }
                    && health.contains(#""degraded":\#(!reasons.isEmpty)"#) && health.contains(#""ready":true"#)
                    && (!reasons.isEmpty || health.contains(#""reasons":[]"#))
            }
        }
    }

    /// Lines of the nodes' logs with a word.
    private func lines(_ cluster: TestCluster, with word: String) throws -> [String] {
        try (1...2).flatMap { number in
            try String(contentsOfFile: "\(cluster.directory)/n\(number).log", encoding: .utf8)
                .split(separator: "\n").map(String.init).filter { $0.contains(word) }
        }
    }

    @Test("Without PUBLISH messages between nodes take seconds, both nodes say why, and each logs it once")
    func publish() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (people[0], people[1])
            for person in people { try await person.connected() }
            _ = try await cluster.local.redis("ACL SETUSER default -publish")
            try await until(cluster, ["redis_refuses_hints:no_permission"])
            for number in 1...4 {
                let began = ContinuousClock.now
                _ = try await alice.client.send("\(number)", to: .user(bob.user))
                _ = try await bob.message("\(number)")
                #expect(ContinuousClock.now - began < .seconds(6), "the backstop would take 25 to 40 s")
            }
            _ = try await cluster.local.redis("ACL SETUSER default +publish")
            try await until(cluster, [])
            let began = ContinuousClock.now
            _ = try await alice.client.send("at once", to: .user(bob.user))
            _ = try await bob.message("at once")
            #expect(ContinuousClock.now - began < .seconds(2))
            #expect(try lines(cluster, with: "Redis refuses what the node asks for").count == 2)
            #expect(try lines(cluster, with: "Redis does again what it refused").count == 2)
        }
    }

    @Test(
        "A replica and a full Redis are told of within seconds, by function, and forgotten when they are none any more",
        arguments: [
            ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "read_only"),
            ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "out_of_memory"),
        ])
    func writes(breaking: String, mending: String, why: String) async throws {
        let cluster = try #require(TestCluster.current)
        let (begun, ended) = ("Redis refuses what the node asks for", "Redis does again what it refused")
        let before = (try lines(cluster, with: begun).count, try lines(cluster, with: ended).count)
        let began = ContinuousClock.now
        _ = try await cluster.local.redis(breaking)
        try await until(cluster, ["sessions", "presence", "leases", "limits"].map { "redis_refuses_\($0):\(why)" })
        #expect(ContinuousClock.now - began < .seconds(12))
        _ = try await cluster.local.redis(mending)
        try await until(cluster, [])
        // A line a function and node when it begins, and one when it ends.
        #expect(try lines(cluster, with: begun).count == before.0 + 8)
        #expect(try lines(cluster, with: ended).count == before.1 + 8)
    }

    @Test("A Redis that evicts is told of")
    func evictions() async throws {
        let cluster = try #require(TestCluster.current)
        let used = try await cluster.local.redis("INFO memory").split(whereSeparator: \.isNewline)
            .first { $0.hasPrefix("used_memory:") }.flatMap { Int($0.dropFirst("used_memory:".count)) }
        _ = try await cluster.local.redis("CONFIG SET maxmemory-policy allkeys-random")
        _ = try await cluster.local.redis("CONFIG SET maxmemory \(try #require(used) + 200_000)")
        let value = String(repeating: "x", count: 50_000)
        for number in 0..<40 { _ = try await cluster.local.redis("SET filler\(number) \(value)") }
        for node in 0...1 { try await cluster.untilHealth(of: node) { $0.contains(#""redis_evicts_keys""#) } }
        _ = try await cluster.local.redis("CONFIG SET maxmemory 0")
    }
}
