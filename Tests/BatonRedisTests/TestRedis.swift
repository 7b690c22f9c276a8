import BatonCore
import BatonTestKit
import Logging
import NIOCore
import NIOPosix

@testable import BatonRedis

/// A server of the test's own and clients of it, which are closed with it.
struct TestRedis {
    let server: RedisServerFixture
    var settings: RedisSettings
    private let logger: Logger

    static let node = NodeID("one")!
    static let silence = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// As of a cluster with these keys.
    static func seal(_ keys: [UInt8] = [1], at now: Timestamp = Timestamp(milliseconds: 1_800_000_000_000))
        -> ClusterSeal
    {
        ClusterSeal(
            keys: keys.map { ClusterSeal.Key(bytes: [$0], created: Timestamp(milliseconds: Int64($0))) },
            clock: MutableClock(now))
    }

    /// Starts a server, runs the test, and stops it whatever the test does.
    static func run(
        _ options: RedisServerFixture.Options = .init(), _ body: (TestRedis) async throws -> Void
    ) async throws {
        let server = try await RedisServerFixture.start(options)
        defer { server.stop() }
        try await body(TestRedis(server: server))
    }

    init(server: RedisServerFixture) throws {
        self.server = server
        settings = RedisSettings(url: try RedisURL(server.url))
        settings.backoff = Backoff(minimum: .milliseconds(5), maximum: .milliseconds(50))
        settings.seal = Self.seal()
        logger = Self.silence
    }

    /// Runs with a client on one event loop, connected.
    func withClient(
        loops: Int = 1, within timeout: TimeAmount = .seconds(10), node: NodeID = TestRedis.node,
        standing: RedisStanding = RedisStanding(), observer: any RedisObserver = SilentRedisObserver(),
        _ body: (RedisClient, [any EventLoop]) async throws -> Void
    ) async throws {
        let eventLoops = (0..<loops).map { _ in MultiThreadedEventLoopGroup.singleton.next() }
        let client = try await RedisClient.start(
            on: eventLoops, node: node, settings: settings, standing: standing, observer: observer, logger: logger)
        do {
            guard await client.waitUntilConnected(for: timeout) else { throw NotConnected() }
            try await body(client, eventLoops)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    struct NotConnected: Error {}
}

extension LivenessSubject.Node {
    /// The ports of a client's loop on that event loop.
    init(_ client: RedisClient, on eventLoop: any EventLoop) async throws {
        self = try await .make(on: eventLoop) {
            let loop = client.loop(on: eventLoop)
            return LivenessPorts(
                bus: loop.bus, sessions: loop.sessions, presence: loop.presence, nodes: loop.nodes,
                buckets: loop.buckets)
        }
    }
}
