import BatonAPI
import BatonClient
import BatonCore
import BatonEdge
import BatonGateway
import BatonRedis
import BatonStore
import CoreMetrics
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// Takes connections, and evacuates them when the node is to stop.
struct RelayService: Service {
    let parts: NodeParts

    func run() async throws {
        let (stops, stop) = AsyncStream<Void>.makeStream()
        let (addresses, listening) = AsyncStream<SocketAddress>.makeStream()
        let edge = try edge { address in
            listening.yield(address)
            listening.finish()
        }
        let watch = RedisWatch(parts: parts)
        let state = parts.state
        let lag = EventLoopLagProbe(group: parts.group, lag: parts.nodeMetrics.eventLoopLag) { state.ticked() }
        defer { lag.stop() }
        // The edge, and what goes on beside it, end together: whichever ends first ends the others.
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await edge.run() }
            tasks.addTask { await watch.run() }
            tasks.addTask {
                for await address in addresses {
                    let keeper = try await startLease(at: address, stop)
                    await withTaskGroup(of: Void.self) { canaries in
                        canaries.addTask { await canary(at: address) }
                        await waitForStop(stops, stop)
                        // It goes first, so that it neither holds the evacuation up nor is missed.
                        canaries.cancelAll()
                    }
                    try await evacuate(keeper)
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
            // A graceful shutdown ends the edge before the evacuation, which then is to be waited for.
            try await tasks.next()
        }
    }

    private func edge(_ onListening: @escaping @Sendable (SocketAddress) -> Void) throws -> Edge {
        let listen = parts.configuration.listen
        var configuration = EdgeConfiguration(host: listen.host, port: listen.port)
        configuration.origins = OriginPolicy(allowed: listen.allowedOrigins)
        configuration.mountsEcho = parts.configuration.echo
        configuration.frameBounds.messageBytes = parts.configuration.limits.messageBytes
        configuration.requestSeconds = Int64(parts.configuration.limits.requestSeconds)
        configuration.bounds.plain = parts.descriptors.plain
        configuration.bounds.reserve = parts.descriptors.reserve
        configuration.bounds.plainPerAddress = parts.configuration.limits.plainConnectionsPerAddress
        configuration.bounds.socketsPerAddress = parts.configuration.limits.connectionsPerAddress
        do {
            configuration.trustedProxies = try TrustedProxies(listen.trustedProxies)
        } catch {
            throw NodeError(description: "listen.trustedProxies: \(error)")
        }
        var routes = RouteTable(dependencies, settings: apiSettings)
        ObservabilityRoutes(
            metrics: parts.configuration.metrics.enabled ? parts.metrics : nil, health: { health }
        ).add(to: &routes)
        addAdmin(to: &routes)
        let router = routes.router()
        let state = parts.state
        let (relay, loops, tokens) = (parts.relay, parts.loops, parts.tokens)
        parts.metrics.observe(MetricNames.redisConnected) { Double(state.redisLoopsConnected) }
        for function in RedisFunction.allCases {
            parts.metrics.observe(MetricNames.redisRefuses, labels: [("function", function.rawValue)]) {
                state.redis.isRefused(function) ? 1 : 0
            }
        }
        parts.metrics.observe(MetricNames.clockOffset) { Double(state.clockOffset) / 1_000 }
        parts.metrics.observe(MetricNames.unacknowledged) { Double(relay.census.unacknowledged) }
        parts.metrics.observe(MetricNames.slowReaders) { Double(relay.census.slowReaders) }
        let disk = StoreDisk(path: parts.configuration.store.path)
        parts.metrics.observe(MetricNames.storeFree) { Double(disk.freeBytes) }
        parts.metrics.observe(MetricNames.logBytes) { Double(disk.walBytes) }
        parts.metrics.observe(MetricNames.storeDisk) { Double(disk.totalBytes) }
        let (metrics, canary) = (parts.nodeMetrics, parts.canaryWatch)
        let hooks = EdgeHooks(
            admit: { eventLoop, upgrading in
                guard let wait = relay.admit(at: eventLoop.now, upgrading: upgrading) else { return .admitted }
                return .refused(retryAfterMilliseconds: UInt32(clamping: wait))
            },
            authenticate: { token async throws(AuthenticationError) in
                do throws(AuthenticationError) {
                    return try await tokens.verify(accessToken: token)
                } catch {
                    metrics.authenticationFailed(RefusedCredential(error).rawValue).increment()
                    throw error
                }
            },
            install: { channel, client in
                guard let loop = loops.loop(on: channel.eventLoop) else {
                    throw NodeError(description: "a connection on an event loop without a relay")
                }
                try channel.pipeline.syncOperations.addHandler(
                    RelayHandler(
                        principal: client.principal, encoding: client.subprotocol, loop: loop,
                        isCounted: canary?.isCanary(client.principal.user) != true))
            },
            refused: { metrics.handshakeRefused($0).increment() },
            bounded: { metrics.bounded($0).increment() },
            abandoned: { metrics.answersAbandoned.increment() })
        let connections = EdgeConnections(configuration.bounds, onBound: hooks.bounded, logger: parts.logger)
        parts.metrics.observe(MetricNames.plainConnections) { Double(connections.plainCount) }
        return Edge(
            configuration: configuration, connections: connections, router: router.buildResponder(), hooks: hooks,
            group: parts.group, onListening: onListening, logger: parts.logger)
    }

    /// `/admin`, where it is not switched off.
    private func addAdmin(to routes: inout RouteTable) {
        guard let admin = parts.admin else { return }
        let metrics = parts.nodeMetrics
        let gate = AdminGate(
            token: admin.token, challenges: AdminChallenges(), addresses: admin.addresses,
            limiter: RedisRateLimiter(client: parts.redis)
        ) { reason in metrics.authenticationFailed(reason).increment() }
        let reader = NodeStatusReader(parts: parts, health: { health })
        let observer = ClusterObserver(
            node: parts.id, status: { reader.read() }, peers: admin.peers,
            surroundings: .live(store: parts.store, path: parts.configuration.store.path, redis: parts.redis))
        let relay = parts.relay
        AdminRoutes(
            gate: gate, status: { reader.read() }, cluster: { await observer.look() },
            trace: TraceRoute { await relay.trace($0) },
            doctor: DoctorRoute(accounts: parts.store, tokens: parts.tokens, clock: parts.clock)
        ).add(to: &routes)
    }

    private var dependencies: APIDependencies {
        var dependencies = APIDependencies(
            accounts: parts.store, conversations: parts.store, messages: parts.relay,
            limiter: RedisRateLimiter(client: parts.redis),
            revocations: NodeAnnouncer(parts: parts), acquaintances: NodeAnnouncer(parts: parts), presence: parts.redis,
            sessions: parts.redis,
            clock: parts.clock, tokens: parts.tokens, keys: parts.clusterKeys, passwords: parts.passwords)
        dependencies.refreshTokenDays = parts.configuration.auth.refreshTokenDays
        let (metrics, state) = (parts.nodeMetrics, parts.state)
        dependencies.stoodStill = { state.stoodStill }
        dependencies.onRefused = { metrics.authenticationFailed($0.rawValue).increment() }
        return dependencies
    }

    /// What the configuration says a number of an hour is, as a bucket.
    private var apiSettings: APISettings {
        let limits = parts.configuration.limits
        func hourly(_ count: Int) -> RateLimits.Rate {
            RateLimits.Rate(capacity: count, secondsPerToken: 3_600 / Double(max(1, count)))
        }
        var settings = APISettings()
        settings.rateLimits.registrationPerAddress = hourly(limits.registrationsPerAddress)
        settings.rateLimits.loginPerAddress = hourly(limits.loginsPerAddress)
        settings.rateLimits.loginPerAccount = hourly(limits.loginsPerAccount)
        return settings
    }

    private var health: NodeHealth {
        let summary = parts.state.summary()
        return NodeHealth(
            ready: summary.ready, degraded: summary.degraded, reasons: summary.reasons, node: parts.id.name,
            incarnation: "\(parts.incarnation)", pid: ProcessInfo.processInfo.processIdentifier,
            redisPID: summary.redisPID, version: NodeVersion.current, connections: parts.relay.connectionCount)
    }

    // MARK: The canary

    /// Until its task is cancelled; at once where there is none.
    private func canary(at address: SocketAddress) async {
        guard let watch = parts.canaryWatch, let port = address.port else { return }
        let canary = Canary(
            node: parts.id, accounts: parts.store, tokens: parts.tokens, redis: parts.redis,
            hasBus: { parts.state.hasBus }, group: parts.group, clock: parts.clock, watch: watch,
            storePeers: { parts.storePeers.others.compactMap(NodeLease.init) },
            onLeases: { parts.admin?.peers.remember($0) },
            period: .seconds(parts.configuration.canary.periodSeconds), logger: parts.logger)
        await canary.run(at: RelayAddress(host: address.reachable, port: port))
    }

    // MARK: The lease

    private func startLease(
        at address: SocketAddress, _ stop: AsyncStream<Void>.Continuation
    ) async throws -> NIOLoopBound<LeaseKeeper>? {
        guard let first = parts.loops.first else { return nil }
        let advertised =
            parts.configuration.listen.advertise ?? "\(parts.configuration.listen.host):\(address.port ?? 0)"
        parts.storePeers.introduce(node: parts.id, incarnation: parts.incarnation, address: advertised)
        parts.admin?.addresses.set(
            advertised: advertised, host: parts.configuration.listen.host, port: address.port ?? 0)
        let lease = NodeLease(
            node: parts.id, incarnation: parts.incarnation, address: advertised, state: .up, connections: 0,
            since: parts.clock.now)
        let parts = parts
        let keeper = try await first.eventLoop.submit {
            let redis = parts.redis.loop(on: first.eventLoop)
            let keeper = LeaseKeeper(
                lease: lease, redis: (redis.nodes, redis.presence), relay: first.value, node: parts.relay,
                clock: parts.clock, logger: parts.logger, onRenewal: { parts.state.lease(isHeld: $0) },
                onSuperseded: { stop.finish() })
            keeper.start()
            return NIOLoopBound(keeper, eventLoop: first.eventLoop)
        }.get()
        parts.state.serving()
        parts.logger.notice(
            "node ready", metadata: ["node": "\(parts.id)", "address": "\(advertised)"])
        return keeper
    }

    private func waitForStop(_ stops: AsyncStream<Void>, _ stop: AsyncStream<Void>.Continuation) async {
        await withGracefulShutdownHandler {
            for await _ in stops {}
        } onGracefulShutdown: {
            stop.finish()
        }
    }

    private func evacuate(_ keeper: NIOLoopBound<LeaseKeeper>?) async throws {
        parts.state.evacuating()
        parts.logger.notice("evacuating", metadata: ["connections": "\(parts.relay.connectionCount)"])
        if let keeper { try? await keeper.eventLoop.submit { keeper.value.evacuating() }.get() }
        try await parts.relay.evacuate()?.get()
        if let keeper {
            let released = keeper.eventLoop.makePromise(of: Void.self)
            keeper.eventLoop.execute { keeper.value.stop { released.succeed() } }
            try await released.futureResult.get()
        }
        parts.logger.notice("evacuated")
    }
}

extension SocketAddress {
    /// Where this host reaches a listener: itself, where it listens on all addresses.
    fileprivate var reachable: String {
        switch ipAddress {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        case let address?: address
        case nil: "127.0.0.1"
        }
    }
}
