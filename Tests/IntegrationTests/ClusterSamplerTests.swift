import BatonBench
import BatonChaos
import BatonHistory
import Foundation
import Testing

@Suite("What is seen of a cluster from outside", .serialized, .cluster(nodes: 2))
struct ClusterSamplerTests {
    @Test("Of each node its readiness, connections, memory and descriptors; of Redis sessions, channels and memory")
    func healthy() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            for person in people { try await person.connected() }
            let (samples, record) = Self.samples()
            try await ClusterSampler(cluster.local, record: { record.yield($0) }).during {
                let node = try #require(await samples.node("n1") { $0.readiness == .ready })
                #expect(try #require(node.connections) >= 1)
                #expect(try #require(node.residentKiB) > 10_000)
                #expect(try #require(node.descriptors) > 10)
                // The two people, and two users of each node's own: its canary and the canary's partner.
                let sessions = 2 + 2 * 2
                let redis = try #require(await samples.redis { ($0.sessions ?? 0) >= sessions })
                #expect(redis.sessions == sessions)
                #expect(try #require(redis.channels) >= 2)
                #expect(try #require(redis.memoryKiB) > 100)
            }
        }
    }

    @Test("A node that stands still is unreachable, its process is still looked at, and others are as often as ever")
    func stopped() async throws {
        let cluster = try #require(TestCluster.current)
        let (samples, record) = Self.samples()
        await ClusterSampler(cluster.local, record: { record.yield($0) }).during {
            await cluster.local.signalNode(0, SIGSTOP)
            let still = await samples.node("n1") { $0.readiness == .unreachable }
            #expect(still?.residentKiB != nil)
            // Between two looks at the one that stands still, each of which takes a second, there are several at the
            // other one.
            #expect(await samples.count(of: "n2", until: "n1") >= 2)
            await cluster.local.signalNode(0, SIGCONT)
            #expect(await samples.node("n1") { $0.readiness == .ready } != nil)
        }
    }

    @Test("A node that was killed is unreachable and has no process; without Redis there is nothing to be told of it")
    func killed() async throws {
        let cluster = try #require(TestCluster.current)
        let (samples, record) = Self.samples()
        try await ClusterSampler(cluster.local, record: { record.yield($0) }).during {
            await cluster.local.killNode(0)
            let gone = await samples.node("n1") { $0.readiness == .unreachable && $0.residentKiB == nil }
            #expect(gone?.connections == nil && gone?.descriptors == nil && gone != nil)
            await cluster.local.killRedis()
            #expect(await samples.redis { $0 == ClusterRecord.RedisSample() } != nil)
            #expect(await samples.node("n2") { $0.readiness == .degraded && !$0.reasons.isEmpty } != nil)
            try await cluster.local.startRedis()
            #expect(await samples.redis { $0.sessions != nil } != nil)
            try await cluster.local.startNode(0)
            #expect(await samples.node("n1") { $0.readiness == .ready } != nil)
        }
    }

    private static func samples() -> (Samples, AsyncStream<ClusterRecord.Event>.Continuation) {
        let (stream, continuation) = AsyncStream.makeStream(of: ClusterRecord.Event.self)
        return (Samples(stream: stream), continuation)
    }

    /// What a sampler records, to be waited for.
    private actor Samples {
        private let stream: AsyncStream<ClusterRecord.Event>
        /// Far more than any of these tests waits for.
        private static let most = 400

        init(stream: AsyncStream<ClusterRecord.Event>) { self.stream = stream }

        func node(
            _ name: String, _ isSo: @Sendable (ClusterRecord.NodeSample) -> Bool
        ) async -> ClusterRecord.NodeSample? {
            var seen = 0
            for await event in stream {
                if case .node(let sample) = event, sample.node == name, isSo(sample) { return sample }
                seen += 1
                if seen > Self.most { return nil }
            }
            return nil
        }

        func redis(_ isSo: @Sendable (ClusterRecord.RedisSample) -> Bool) async -> ClusterRecord.RedisSample? {
            var seen = 0
            for await event in stream {
                if case .redis(let sample) = event, isSo(sample) { return sample }
                seen += 1
                if seen > Self.most { return nil }
            }
            return nil
        }

        /// Samples of one node until the next of another.
        func count(of name: String, until other: String) async -> Int {
            var count = 0
            for await event in stream {
                guard case .node(let sample) = event else { continue }
                if sample.node == other { break }
                if sample.node == name { count += 1 }
            }
            return count
        }
    }
}
