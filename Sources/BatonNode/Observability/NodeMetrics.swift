import BatonCore
package import BatonEdge
import BatonRedis
package import Metrics

/// A node's counters and histograms beside the relay's own, made once at the start, so that using one neither locks
/// nor allocates.
package struct NodeMetrics: Sendable {
    package let commit: Metrics.Timer
    package let batchOperations: Recorder
    package let turnstile: Metrics.Timer
    package let storeQueue: Gauge
    package let walPages: Gauge
    package let checkpoint: Metrics.Timer
    package let redisReconnects: Counter
    package let redisErrors: Counter
    package let unproven: Counter
    package let undecodable: Counter
    package let probe: Metrics.Timer
    package let eventLoopLag: Metrics.Timer
    package let answersAbandoned: Counter

    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) {
        func counter(_ definition: MetricDefinition) -> Counter {
            Counter(label: definition.name, dimensions: [], factory: factory)
        }
        func timer(_ definition: MetricDefinition) -> Metrics.Timer {
            Metrics.Timer(label: definition.name, dimensions: [], factory: factory)
        }
        self.factory = factory
        commit = timer(MetricNames.commitSeconds)
        batchOperations = Recorder(
            label: MetricNames.batchOperations.name, dimensions: [], aggregate: true, factory: factory)
        turnstile = timer(MetricNames.turnstileSeconds)
        storeQueue = Gauge(label: MetricNames.storeQueue.name, dimensions: [], factory: factory)
        walPages = Gauge(label: MetricNames.walPages.name, dimensions: [], factory: factory)
        checkpoint = timer(MetricNames.checkpointSeconds)
        redisReconnects = counter(MetricNames.redisReconnects)
        redisErrors = counter(MetricNames.redisErrors)
        func disbelieved(_ reason: String) -> Counter {
            Counter(label: MetricNames.disbelieved.name, dimensions: [("reason", reason)], factory: factory)
        }
        unproven = disbelieved("unproven")
        undecodable = disbelieved("undecodable")
        probe = timer(MetricNames.probeSeconds)
        eventLoopLag = timer(MetricNames.loopLagSeconds)
        answersAbandoned = counter(MetricNames.answersAbandoned)
        // There from the start: a counter that begins with its first failure has not risen to Prometheus.
        for kind in StoreError.kinds { _ = storeFailed(kind) }
        for bound in ConnectionBound.allCases { _ = bounded(bound) }
        for refusal in RedisRefusal.allCases { _ = refused(refusal) }
    }

    /// Handshakes refused for a reason. Takes a lock: for what is rare. A reason is one of a few constants.
    package func handshakeRefused(_ reason: String) -> Counter {
        Counter(label: MetricNames.handshakesRefused.name, dimensions: [("reason", reason)], factory: factory)
    }

    /// Connections that a bound refused or closed. Takes a lock: for what is rare.
    package func bounded(_ bound: ConnectionBound) -> Counter {
        Counter(label: MetricNames.bounded.name, dimensions: [("bound", bound.rawValue)], factory: factory)
    }

    /// Credentials refused for a reason. Takes a lock: for what is rare.
    package func authenticationFailed(_ reason: String) -> Counter {
        Counter(label: MetricNames.authenticationFailures.name, dimensions: [("reason", reason)], factory: factory)
    }

    /// Commands that Redis refused for a reason. Takes a lock: for what is rare.
    func refused(_ refusal: RedisRefusal) -> Counter {
        Counter(label: MetricNames.redisRefusals.name, dimensions: [("why", refusal.rawValue)], factory: factory)
    }

    /// Failures of the store of a kind. Takes a lock: for what is rare.
    package func storeFailed(_ kind: String) -> Counter {
        Counter(label: MetricNames.storeErrors.name, dimensions: [("kind", kind)], factory: factory)
    }
}
