import BatonBench
package import BatonHistory
import Foundation
import NIOCore

/// Looks at a cluster from outside while a run goes on: what its nodes say of themselves, what the kernel knows of
/// their processes, what Redis holds. It asks nodes and Redis themselves, not through what makes faults.
///
/// Each is looked at for itself, so that one which does not answer holds up no other; each question is bounded in
/// time. What is seen goes to the harness' own history.
package struct ClusterSampler: Sendable {
    private let cluster: LocalCluster
    private let record: @Sendable (ClusterRecord.Event) -> Void

    package static let nodeInterval = Duration.milliseconds(250)
    /// Counting sessions goes through all keys there are, so it is done more seldom.
    package static let redisInterval = Duration.seconds(1)
    /// A node that has not answered by then is called unreachable.
    private static let patience = TimeAmount.seconds(1)

    package init(_ cluster: LocalCluster, record: @escaping @Sendable (ClusterRecord.Event) -> Void) {
        self.cluster = cluster
        self.record = record
    }

    /// Samples as long as something else is done.
    package func during<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        // Cancelled and awaited where this scope ends.
        async let _: Void = run()
        return try await body()
    }

    /// Samples until it is cancelled.
    package func run() async {
        await withTaskGroup(of: Void.self) { group in
            for (index, url) in cluster.nodeURLs.enumerated() {
                guard let port = URLComponents(string: url)?.port else { continue }
                group.addTask { await every(Self.nodeInterval) { await sampleNode(index, HealthProbe(port: port)) } }
            }
            group.addTask { await every(Self.redisInterval) { await sampleRedis() } }
        }
    }

    /// Calls again and again; a time that was missed is left out.
    private func every(_ interval: Duration, _ body: () async -> Void) async {
        let clock = ContinuousClock()
        var next = clock.now
        while !Task.isCancelled {
            await body()
            next = max(next + interval, clock.now)
            try? await clock.sleep(until: next)
        }
    }

    private func sampleNode(_ index: Int, _ probe: HealthProbe) async {
        var sample = await probe.sample("n\(index + 1)", within: Self.patience)
        if await cluster.isNodeRunning(index), let pid = await cluster.nodePIDs[index] {
            let process = ProcessProbe(name: sample.node, pid: pid)
            sample.residentKiB = process.residentKiB.map { Int($0) }
            sample.descriptors = process.descriptors
        }
        record(.node(sample))
    }

    private func sampleRedis() async {
        let probe = RedisProbe(port: cluster.redisPort)
        let reply = try? await probe.run("EVAL \"\(Self.census)\" 0", within: Self.patience)
        let numbers = reply?.split(separator: " ").compactMap { Int($0) } ?? []
        guard numbers.count == 3 else { return record(.redis(ClusterRecord.RedisSample())) }
        record(
            .redis(
                ClusterRecord.RedisSample(sessions: numbers[0], channels: numbers[1], memoryKiB: numbers[2] / 1_024)))
    }

    /// Fields of all sessions, channels, and bytes of memory: one question, one line. SCAN may name a key twice.
    private static let census = """
        local sessions, seen, cursor = 0, {}, '0' \
        repeat \
        local page = redis.call('SCAN', cursor, 'MATCH', 'session:*', 'COUNT', 1000, 'TYPE', 'hash') \
        cursor = page[1] \
        for _, key in ipairs(page[2]) do \
        if not seen[key] then sessions = sessions + redis.call('HLEN', key) seen[key] = true end \
        end \
        until cursor == '0' \
        return sessions .. ' ' .. #redis.call('PUBSUB', 'CHANNELS') .. ' ' \
        .. string.match(redis.call('INFO', 'memory'), 'used_memory:(%d+)')
        """
}
