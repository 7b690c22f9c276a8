import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import Foundation
import FoundationNetworking
import Synchronization
import Testing

/// Rounds each second, and what is not delivered for 4 s has failed, so that the tests need not wait for the defaults.
@Suite(
    "A node's canary", .serialized, .timeLimit(.minutes(3)),
    .cluster(nodes: 2, configuration: ["canary.periodSeconds=1", "canary.boundSeconds=4"]))
struct CanaryTests {
    private let unreachable = #""canary_cannot_reach:n2""#

    /// The value of a series in a node's `/metrics`.
    private func metric(_ series: String, of node: Int, _ cluster: TestCluster) async throws -> Double {
        let url = try #require(URL(string: cluster.local.nodeURLs[node] + "/metrics"))
        let (data, _) = try await URLSession.shared.data(from: url)
        let line = String(decoding: data, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix(series + " ") }
        return line.flatMap { Double($0.dropFirst(series.count + 1)) } ?? 0
    }

    private func until(_ series: String, of node: Int, _ cluster: TestCluster, _ isSo: (Double) -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(20)
        while clock.now < deadline {
            if isSo(try await metric(series, of: node, cluster)) { return }
            try await clock.sleep(for: .milliseconds(50))
        }
        Issue.record("\(series) stays \(try await metric(series, of: node, cluster))")
    }

    @Test("It reaches itself and the other nodes, and is counted among no clients")
    func reaches() async throws {
        let cluster = try #require(TestCluster.current)
        for (node, other) in [(0, "n2"), (1, "n1")] {
            for target in ["local", other] {
                try await until(#"baton_canary_delivered_total{target="\#(target)"}"#, of: node, cluster) { $0 >= 2 }
                #expect(try await metric(#"baton_canary_seconds_count{target="\#(target)"}"#, of: node, cluster) >= 2)
            }
            #expect(try await metric("baton_canary_silence_seconds", of: node, cluster) < 4)
            #expect(try await metric("baton_messages_accepted_total", of: node, cluster) == 0)
            #expect(try await metric("baton_connections", of: node, cluster) == 0)
        }
        let health = try await cluster.local.health(of: 0)
        #expect(health.contains(#""connections":0"#) && health.contains(#""reasons":[]"#))
    }

    @Test("A node that stands still is named by the other, which stays ready, until its lease ends")
    func standsStill() async throws {
        let cluster = try #require(TestCluster.current)
        await cluster.local.signalNode(1, SIGSTOP)
        do {
            try await cluster.untilHealth(of: 0) { $0.contains(unreachable) }
            #expect(try await cluster.local.health(of: 0).contains(#""ready":true"#))
            try await cluster.untilHealth(of: 0) { !$0.contains(unreachable) && $0.contains(#""ready":true"#) }
        } catch {
            await cluster.local.signalNode(1, SIGCONT)
            throw error
        }
        await cluster.local.signalNode(1, SIGCONT)
        try await cluster.untilHealth(of: 1) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
    }

    @Test("Without Redis messages still arrive, at the other node too: ready, degraded, and nobody is out of reach")
    func withoutRedis() async throws {
        let cluster = try #require(TestCluster.current)
        let arrived = #"baton_canary_delivered_total{target="n2"}"#
        let seen = try await metric(arrived, of: 0, cluster)
        try await until(arrived, of: 0, cluster) { $0 > seen }
        await cluster.local.killRedis()
        try await cluster.untilHealth(of: 0) { $0.contains(#""degraded":true"#) }
        let before = try await metric(arrived, of: 0, cluster)
        try await until(arrived, of: 0, cluster) { $0 >= before + 3 }
        let health = try await cluster.local.health(of: 0)
        #expect(health.contains(#""ready":true"#) && !health.contains("canary"))
        try await cluster.local.startRedis()
        for node in 0...1 {
            try await cluster.untilHealth(of: node) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
        }
    }

    @Test("A store that does not commit makes a node not ready, and ready again when it does")
    func storeStandsStill() async throws {
        let cluster = try #require(TestCluster.current)
        // Who holds this lock writes: as a process would that was stopped in the midst of a commit.
        let lock = open(cluster.local.storePath + "-lock", O_RDWR | O_CLOEXEC)
        try #require(lock >= 0 && flock(lock, LOCK_EX) == 0)
        do {
            for node in 0...1 {
                try await cluster.untilHealth(of: node) {
                    $0.contains(#""ready":false"#) && $0.contains(#""canary_undelivered""#)
                }
            }
        } catch {
            close(lock)
            throw error
        }
        close(lock)
        for node in 0...1 {
            try await cluster.untilHealth(of: node) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
        }
    }

    @Test("A client whose tokens come from elsewhere asks for one when it needs one, and again when it is refused")
    func tokenProvider() async throws {
        let cluster = try #require(TestCluster.current)
        let person = try await Person.join(cluster, through: [0])
        let (tokens, asked) = (person.tokens, Asked())
        var configuration = ClientConfiguration(addresses: cluster.addresses([0]))
        configuration.tokenProvider = {
            // The first is of no use.
            let token = asked.next() == 1 ? "refused" : tokens.accessToken
            return IssuedToken(user: tokens.user, device: tokens.device, accessToken: token, lifetime: .seconds(900))
        }
        let client = try BatonClient(configuration)
        try await client.connect()
        for await state in await client.states() {
            if case .online = state { break }
        }
        #expect(asked.times == 2)
        #expect(try await client.ownProfile().id == tokens.user)
        #expect(await client.currentTokens?.refreshToken.isEmpty == true)
        await client.close()
        await person.close()
    }
}

/// How often something was asked for.
private final class Asked: Sendable {
    private let count = Mutex(0)

    var times: Int { count.withLock { $0 } }

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
