import BatonRedis
import BatonTestKit
import NIOCore
import NIOPosix
import Testing

@Suite("Bus, sessions, presence and leases")
struct ConformanceTests {
    @Test("In memory", .timeLimit(.minutes(1)), arguments: LivenessConformance.all)
    func inMemory(_ conformance: LivenessConformance) async throws {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let cluster = try await eventLoop.submit { NIOLoopBound(InMemoryCluster(), eventLoop: eventLoop) }.get()
        let make: @Sendable () -> LivenessPorts = {
            LivenessPorts(
                bus: InMemoryBus(cluster.value), sessions: InMemorySessionRegistry(cluster.value),
                presence: InMemoryPresenceRegistry(cluster.value), nodes: InMemoryNodeRegistry(cluster.value),
                buckets: InMemorySharedBuckets(cluster.value))
        }
        try await conformance.run(
            LivenessSubject(one: .make(on: eventLoop, make), two: .make(on: eventLoop, make)))
    }

    @Test("On a real Redis", .timeLimit(.minutes(1)), arguments: LivenessConformance.all)
    func onRedis(_ conformance: LivenessConformance) async throws {
        try await TestRedis.run { redis in
            try await redis.withClient(loops: 2) { client, eventLoops in
                try await conformance.run(
                    LivenessSubject(
                        one: .init(client, on: eventLoops[0]), two: .init(client, on: eventLoops[1])))
            }
        }
    }
}
