import BatonCore
import BatonGateway
import NIOCore

/// Reads what a node tells about itself from its metrics and its parts. Costs about what a scrape of `/metrics` costs.
struct NodeStatusReader: Sendable {
    private let parts: NodeParts
    private let health: @Sendable () -> NodeHealth
    private let start = NIODeadline.now()

    init(parts: NodeParts, health: @escaping @Sendable () -> NodeHealth) {
        self.parts = parts
        self.health = health
    }

    func read() -> NodeStatus {
        let reading = parts.metrics.reading()
        let (health, census, now) = (health(), parts.relay.census, NIODeadline.now())
        return NodeStatus(
            node: health.node, incarnation: health.incarnation, version: health.version, pid: health.pid,
            ready: health.ready, degraded: health.degraded, reasons: health.reasons,
            monotonicMilliseconds: Int64(clamping: now.uptimeNanoseconds / 1_000_000),
            uptimeSeconds: Double((now - start).nanoseconds / 1_000_000) / 1_000,
            connections: NodeStatus.Connections(
                open: health.connections, limit: parts.relay.settings.connections,
                opened: reading.total(MetricNames.connectionsOpened),
                closed: reading.total(MetricNames.connectionsClosed),
                refused: reading.total(MetricNames.handshakesRefused)),
            messages: Self.messages(reading, census.unacknowledged), hints: Self.hints(reading),
            slowReaders: NodeStatus.SlowReaders(
                count: census.slowReaders,
                slowest: census.slowest.map { reader in
                    NodeStatus.SlowReader(
                        user: reader.user.description, device: reader.device.description,
                        seconds: Double(reader.milliseconds) / 1_000, waiting: Int64(clamping: reader.waiting))
                }),
            store: NodeStatus.Store(
                failure: parts.state.storeFailure?.kind, errors: reading.total(MetricNames.storeErrors),
                queued: reading.total(MetricNames.storeQueue), queueLimit: Limits.Store.queuedOperations,
                walPages: reading.total(MetricNames.walPages),
                commit: reading.distribution(MetricNames.commitSeconds),
                batch: reading.distribution(MetricNames.batchOperations),
                turnstile: reading.distribution(MetricNames.turnstileSeconds)),
            redis: NodeStatus.Redis(
                loops: parts.state.redisLoops, connected: parts.state.redisLoopsConnected,
                reconnects: reading.total(MetricNames.redisReconnects),
                errors: reading.total(MetricNames.redisErrors),
                probe: reading.distribution(MetricNames.probeSeconds)),
            process: NodeStatus.Process(
                residentBytes: ProcessMetrics.residentBytes(), cpuSeconds: ProcessMetrics.cpuSeconds(),
                descriptors: ProcessMetrics.descriptors(), descriptorLimit: ProcessMetrics.descriptorLimit(),
                loopLag: reading.distribution(MetricNames.loopLagSeconds)),
            canary: NodeStatus.Canary(
                samples: reading.samples(of: "baton_canary_"), seconds: reading.distribution("baton_canary_seconds")))
    }

    private static func messages(
        _ reading: PrometheusMetrics.Reading, _ unacknowledged: UInt64
    ) -> NodeStatus.Messages {
        NodeStatus.Messages(
            accepted: reading.total(MetricNames.accepted), repeated: reading.total(MetricNames.duplicates),
            rejected: reading.total(MetricNames.rejected),
            deliveredByHint: reading.total(MetricNames.eventsDelivered, ("path", "hint")),
            deliveredByDrain: reading.total(MetricNames.eventsDelivered, ("path", "drain")),
            acknowledged: reading.total(MetricNames.eventsAcknowledged),
            unacknowledged: Int64(clamping: unacknowledged),
            accept: reading.distribution(MetricNames.acceptSeconds))
    }

    private static func hints(_ reading: PrometheusMetrics.Reading) -> NodeStatus.Hints {
        NodeStatus.Hints(
            published: reading.total(MetricNames.hintsPublished), received: reading.total(MetricNames.hintsReceived),
            missed: reading.total(MetricNames.hintMissed), gaps: reading.total(MetricNames.hintGaps),
            stale: reading.total(MetricNames.hintsStale), publishErrors: reading.total(MetricNames.publishErrors),
            drains: reading.total(MetricNames.drains), drainsFailed: reading.total(MetricNames.drainsFailed),
            windowFull: reading.total(MetricNames.windowFull))
    }
}
