import BatonAPI
import BatonCore
import BatonGateway
import BatonRedis
import BatonStore
import Foundation
import Logging
import Metrics
import NIOCore
import NIOPosix
import ServiceLifecycle

/// The parts of a node, made from its configuration.
struct NodeParts: Sendable {
    let configuration: NodeConfiguration
    let id: NodeID
    let incarnation: UInt64
    let group: any EventLoopGroup
    /// As the processes of the store agree on it.
    let clock: StoreClock
    let storePeers: StorePeers
    let store: SQLiteStore
    let redis: RedisClient
    let relay: RelayNode
    let loops: RelayLoops
    let descriptors: OpenFiles.Shares
    let tokens: TokenAuthority
    let clusterKeys: ClusterKeys
    let passwords: PasswordHasher
    let metrics: PrometheusMetrics
    let nodeMetrics: NodeMetrics
    let state: NodeState
    /// Nil where canaries are switched off.
    let canaryWatch: CanaryWatch?
    let lastSeen: LastSeenWriter
    /// Nil where `/admin` is switched off.
    let admin: AdminParts?
    let logger: Logger

    /// How long the start waits for Redis before it goes on without.
    private static let redisPatience = TimeAmount.seconds(2)

    /// - Throws: `NodeError` with one line that says what to do.
    static func make(_ configuration: NodeConfiguration, logger: Logger) async throws -> NodeParts {
        let storePeers = StorePeers(store: configuration.store.path, clock: SystemClock())
        let clock = StoreClock(SystemClock(), agreedAmong: storePeers)
        #if DEBUG
            if let bug = configuration.plantedBug {
                logger.warning("this node has a planted bug", metadata: ["bug": "\(bug.rawValue)"])
            }
        #endif
        guard let id = configuration.nodeID(hostName: ProcessInfo.processInfo.hostName) else {
            throw NodeError(description: "node.name: no name can be made of this host's name; set one")
        }
        let metrics = PrometheusMetrics()
        let nodeMetrics = NodeMetrics(factory: metrics)
        let loopCount = min(configuration.threads.eventLoops ?? System.coreCount, RelayNode.maximumLoops)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loopCount)
        let eventLoops = Array(group.makeIterator())
        let canaryWatch = canaryWatch(configuration, metrics)
        let standing = RedisStanding(
            onRefused: { nodeMetrics.refused($0).increment() }, onChange: { log($0, logger) })
        let state = NodeState(
            loops: eventLoops.count, redis: standing, canary: canaryWatch,
            clockCorrection: { -storePeers.clockCorrection })

        await StorePeerKeeper(peers: storePeers, logger: logger).begin()
        let keys = try signingKeys(configuration, clock)
        let adminToken = try AdminParts.token(configuration)
        let store = try openStore(
            configuration, clock, StoreMetricsObserver(metrics: nodeMetrics, state: state), logger)
        let redis = try await RedisClient.start(
            on: eventLoops, node: id, settings: try redisSettings(configuration, seal(keys, clock)), standing: standing,
            observer: RedisMetricsObserver(metrics: nodeMetrics), logger: logger)
        if await !redis.waitUntilConnected(for: redisPatience) {
            logger.warning("Redis is not reachable; starting without, messages are stored and delivered on this node")
        }
        let incarnation = Incarnation.next(
            at: clock.now, held: await redis.nodes(within: redisPatience)?.first { $0.node == id }?.incarnation)
        let lastSeen = LastSeenWriter(accounts: store, logger: logger)
        var settings = relaySettings(configuration, id, incarnation)
        settings.failpoints = try failpoints(configuration, logger)
        let descriptors = descriptors(configuration, logger)
        settings.connections = descriptors.sockets
        let relay = RelayNode(settings: settings, metrics: RelayMetrics(factory: metrics))
        let loops = try await RelayLoops.make(on: eventLoops) { eventLoop in
            let parts = redis.loop(on: eventLoop)
            return RelayLoop(
                eventLoop: eventLoop, node: relay, store: store, conversations: store, bus: parts.bus,
                sessions: parts.sessions, presence: parts.presence, buckets: parts.buckets, clock: clock,
                logger: logger,
                lastSeen: lastSeen.record)
        }
        let argon2 = configuration.auth.argon2
        let hasher = PasswordHasher(
            parameters: Argon2Parameters(
                memoryKiB: UInt32(clamping: argon2.memoryKiB), iterations: UInt32(clamping: argon2.iterations),
                parallelism: UInt32(clamping: argon2.parallelism)),
            threads: Limits.Account.passwordHashes, queue: Limits.Account.queuedPasswordHashes)
        let tokens = await TokenAuthority(
            keys: keys, issuer: configuration.auth.issuer, accessTokenMinutes: configuration.auth.accessTokenMinutes,
            clock: clock)
        return NodeParts(
            configuration: configuration, id: id, incarnation: incarnation, group: group, clock: clock,
            storePeers: storePeers, store: store, redis: redis, relay: relay, loops: loops, descriptors: descriptors,
            tokens: tokens, clusterKeys: ClusterKeys(keys), passwords: hasher, metrics: metrics,
            nodeMetrics: nodeMetrics, state: state, canaryWatch: canaryWatch, lastSeen: lastSeen,
            admin: adminToken.map { AdminParts(token: $0, group: group, redis: redis, store: storePeers) },
            logger: logger)
    }

    /// What outlives everything else, and ends last.
    var base: BaseService { BaseService(parts: self) }

    /// One line when Redis begins to refuse something, and one when it ends.
    private static func log(_ change: RedisStanding.Change, _ logger: Logger) {
        switch change {
        case .began(let function, let refusal, let text):
            logger.warning(
                "Redis refuses what the node asks for",
                metadata: ["function": "\(function.rawValue)", "why": "\(refusal.rawValue)", "error": "\(text)"])
        case .ended(let function, let after):
            logger.notice(
                "Redis does again what it refused",
                metadata: ["function": "\(function.rawValue)", "seconds": "\(after.nanoseconds / 1_000_000_000)"])
        }
    }

    private static func canaryWatch(
        _ configuration: NodeConfiguration, _ metrics: PrometheusMetrics
    ) -> CanaryWatch? {
        guard configuration.canary.enabled else { return nil }
        let watch = CanaryWatch(
            bound: .seconds(configuration.canary.boundSeconds), period: .seconds(configuration.canary.periodSeconds),
            metrics: metrics)
        metrics.observe(MetricNames.canarySilence) { watch.verdict.silence / .seconds(1) }
        metrics.observe(MetricNames.canaryUnreachable) { Double(watch.verdict.unreachable.count) }
        return watch
    }

    private static func signingKeys(_ configuration: NodeConfiguration, _ clock: any CivilClock) throws -> SigningKeys {
        do {
            return try SigningKeyFile.loadOrCreate(path: configuration.auth.keysFile, now: clock.now)
        } catch {
            throw NodeError(description: "auth.keysFile: \(error)")
        }
    }

    private static func openStore(
        _ configuration: NodeConfiguration, _ clock: any CivilClock, _ observer: StoreMetricsObserver, _ logger: Logger
    ) throws -> SQLiteStore {
        var settings = StoreSettings(path: configuration.store.path)
        settings.readers = configuration.store.readers
        settings.lingerMilliseconds = configuration.store.lingerMilliseconds
        settings.retention = configuration.store.retention
        #if DEBUG
            settings.plantedBug = configuration.plantedBug
        #endif
        do {
            return try SQLiteStore.open(settings, clock: clock, logger: logger, observer: observer) { progress in
                logger.notice("opening the store", metadata: ["step": "\(progress)"])
            }
        } catch {
            throw NodeError(description: "store.path: \(error)")
        }
    }

    private static func seal(_ keys: SigningKeys, _ clock: any CivilClock) -> ClusterSeal {
        let derived = keys.derived(for: "bus").map { ClusterSeal.Key(bytes: $0.bytes, created: $0.created) }
        return ClusterSeal(keys: derived, clock: clock)
    }

    private static func redisSettings(_ configuration: NodeConfiguration, _ seal: ClusterSeal) throws -> RedisSettings {
        var settings = RedisSettings(url: configuration.redis.url)
        settings.seal = seal
        if let path = configuration.redis.tlsCA { settings.trust = .file(path) }
        #if DEBUG
            settings.plantedBug = configuration.plantedBug
        #endif
        return settings
    }

    private static func failpoints(_ configuration: NodeConfiguration, _ logger: Logger) throws -> Failpoints {
        let armed = ArmedFailpoints(try configuration.failpoints.map(FailpointRule.init(checking:)))
        if !armed.points.isEmpty {
            logger.warning(
                "failpoints are armed: this node will kill itself or pause, for tests only",
                metadata: ["failpoints": "\(configuration.failpoints.joined(separator: ","))"])
        }
        return armed.failpoints
    }

    private static func descriptors(_ configuration: NodeConfiguration, _ logger: Logger) -> OpenFiles.Shares {
        let wanted = configuration.limits.descriptors
        let limit = OpenFiles.raiseLimit()
        let shares = OpenFiles.shares(wanted: wanted, limit: limit)
        if shares != wanted {
            logger.warning(
                "too few open files are allowed for limits.connections; raise ulimit -n, or LimitNOFILE of the service",
                metadata: [
                    "allowed": "\(limit)", "wanted": "\(wanted.sockets)", "connections": "\(shares.sockets)",
                    "plain": "\(shares.plain)",
                ])
        }
        return shares
    }

    private static func relaySettings(
        _ configuration: NodeConfiguration, _ id: NodeID, _ incarnation: UInt64
    ) -> RelaySettings {
        var settings = RelaySettings(node: id, incarnation: incarnation)
        settings.windowEvents = configuration.limits.windowEvents
        settings.windowBytes = configuration.limits.windowBytes
        settings.sending = configuration.limits.sending
        settings.admittedPerSecond = configuration.limits.admittedPerSecond
        settings.evacuatedPerSecond = configuration.limits.evacuatedPerSecond
        settings.evacuationSeconds = Int64(configuration.limits.evacuationSeconds)
        settings.traceEvents = configuration.trace.events
        settings.traceDirectory = configuration.traceDirectory
        #if DEBUG
            settings.plantedBug = configuration.plantedBug
        #endif
        return settings
    }
}

/// Why a node did not start: one line for people.
package struct NodeError: Error, CustomStringConvertible {
    package let description: String
}

/// A node's relay loops, for code on other threads.
struct RelayLoops: Sendable {
    private let loops: [NIOLoopBound<RelayLoop>]

    /// Makes one on each event loop.
    static func make(
        on eventLoops: [any EventLoop], _ body: @escaping @Sendable (any EventLoop) -> RelayLoop
    ) async throws -> RelayLoops {
        var loops: [NIOLoopBound<RelayLoop>] = []
        for eventLoop in eventLoops {
            loops.append(try await eventLoop.submit { NIOLoopBound(body(eventLoop), eventLoop: eventLoop) }.get())
        }
        return RelayLoops(loops: loops)
    }

    /// The relay of an event loop. To be called on it.
    func loop(on eventLoop: any EventLoop) -> RelayLoop? {
        loops.first { $0.eventLoop === eventLoop }?.value
    }

    var first: NIOLoopBound<RelayLoop>? { loops.first }

    func stop() async {
        for loop in loops { try? await loop.eventLoop.submit { loop.value.stop() }.get() }
    }
}

/// Holds the store, Redis and the threads until everything above them has ended.
struct BaseService: Service {
    let parts: NodeParts

    func run() async throws {
        try? await gracefulShutdown()
        await parts.loops.stop()
        await parts.admin?.close()
        await parts.redis.close()
        await parts.store.close()
        try? await parts.passwords.shutdown()
        try? await parts.group.shutdownGracefully()
    }
}
