import BatonBench
import BatonChaos
import BatonHistory
import Foundation
import FoundationNetworking
import Testing

/// The bound is 6 s, so that the tests need not wait for the default; nodes notice within it, one sooner than another.
@Suite(
    "Nodes whose Redis is behind a black hole", .serialized, .timeLimit(.minutes(3)),
    .cluster(nodes: 3, configuration: ["canary.periodSeconds=1", "canary.boundSeconds=6"], isProxied: true))
struct IsolatedNodeTests {
    /// The bound and two rounds, ...
    private static let boundSeconds = 9.0
    /// ... and what it takes to notice that Redis does not answer.
    private static let isolationSeconds = 16.0

    @Test("One alone is not ready, and names those that have Redis; the others stay ready; healed, it is as before")
    func alone() async throws {
        let cluster = try #require(TestCluster.current)
        let began = ContinuousClock.now
        try await cluster.local.redisProxies[0].set(.blackHole)
        try await cluster.untilHealth(of: 0) { health in
            ["n2", "n3"].allSatisfy { health.contains(#""canary_cut_off:\#($0)""#) }
                && health.contains(#""ready":false"#) && health.contains(#""redis_unreachable""#)
        }
        #expect(ContinuousClock.now - began < .seconds(Self.isolationSeconds))
        #expect(try await Self.readiness(of: 0, cluster) == 503)
        for node in 1...2 { #expect(try await Self.readiness(of: node, cluster) == 200) }

        try await cluster.local.redisProxies[0].set(nil)
        for node in 0...2 {
            try await cluster.untilHealth(of: node) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
        }
        #expect(try await Self.readiness(of: 0, cluster) == 200)
    }

    @Test("All of them stay ready, and degraded: nobody does better")
    func together() async throws {
        let cluster = try #require(TestCluster.current)
        for proxy in cluster.local.redisProxies { try await proxy.set(.blackHole) }
        for node in 0...2 { try await cluster.untilHealth(of: node) { $0.contains(#""redis_unreachable""#) } }
        // From here on for the bound and two rounds.
        let end = ContinuousClock.now + .seconds(Self.boundSeconds)
        while ContinuousClock.now < end {
            for node in 0...2 {
                let health = try await cluster.local.health(of: node)
                try #require(health.contains(#""ready":true"#), "\(health)")
            }
            try await ContinuousClock().sleep(for: .milliseconds(250))
        }
        for proxy in cluster.local.redisProxies { try await proxy.set(nil) }
        for node in 0...2 {
            try await cluster.untilHealth(of: node) { $0.contains(#""ready":true"#) && $0.contains(#""reasons":[]"#) }
        }
    }

    private static func readiness(of node: Int, _ cluster: TestCluster) async throws -> Int? {
        let url = try #require(URL(string: cluster.local.nodeURLs[node] + "/health/ready"))
        let (_, response) = try await URLSession.shared.data(from: url)
        return (response as? HTTPURLResponse)?.statusCode
    }
}
