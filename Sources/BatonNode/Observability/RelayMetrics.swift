package import BatonProtocol
package import Metrics

/// A node's counters and histograms, made once at the start, so that using one neither locks nor allocates.
package struct RelayMetrics: Sendable {
    package let connectionsOpened: Counter
    package let connectionsDisplaced: Counter
    package let connectionsEvacuated: Counter
    package let slowReadersClosed: Counter
    package let framesReceived: Counter
    package let framesSent: Counter
    package let bytesReceived: Counter
    package let bytesSent: Counter
    package let framesPerFlush: Recorder
    package let accepted: Counter
    package let repeated: Counter
    package let accept: Metrics.Timer
    package let deliveredByHint: Counter
    package let deliveredByDrain: Counter
    package let acknowledged: Counter
    package let delivery: Metrics.Timer
    package let hintsPublished: Counter
    package let hintsReceived: Counter
    package let hintMissed: Counter
    package let hintGaps: Counter
    package let hintsStale: Counter
    package let publishErrors: Counter
    package let drains: Counter
    package let windowFull: Counter
    package let backstop: Metrics.Timer
    package let commit: Metrics.Timer
    package let batchOperations: Recorder
    package let turnstile: Metrics.Timer
    package let storeRead: Metrics.Timer
    package let redisReconnects: Counter
    package let redisErrors: Counter
    package let probe: Metrics.Timer
    package let cameOnline: Counter
    package let wentOffline: Counter
    package let eventLoopLag: Metrics.Timer

    private let rejectedByCode: [ErrorCode: Counter]
    private let closedByCode: [CloseCode: Counter]
    private let closedWithoutCode: Counter
    private let factory: any MetricsFactory

    package init(factory: any MetricsFactory) {
        func counter(_ definition: MetricDefinition, _ labels: [(String, String)] = []) -> Counter {
            Counter(label: definition.name, dimensions: labels, factory: factory)
        }
        func timer(_ definition: MetricDefinition) -> Metrics.Timer {
            Metrics.Timer(label: definition.name, dimensions: [], factory: factory)
        }
        func recorder(_ definition: MetricDefinition) -> Recorder {
            Recorder(label: definition.name, dimensions: [], aggregate: true, factory: factory)
        }
        self.factory = factory
        connectionsOpened = counter(MetricNames.connectionsOpened)
        connectionsDisplaced = counter(MetricNames.connectionsDisplaced)
        connectionsEvacuated = counter(MetricNames.connectionsEvacuated)
        slowReadersClosed = counter(MetricNames.slowReadersClosed)
        framesReceived = counter(MetricNames.framesReceived)
        framesSent = counter(MetricNames.framesSent)
        bytesReceived = counter(MetricNames.bytesReceived)
        bytesSent = counter(MetricNames.bytesSent)
        framesPerFlush = recorder(MetricNames.writesPerFlush)
        accepted = counter(MetricNames.accepted)
        repeated = counter(MetricNames.duplicates)
        accept = timer(MetricNames.acceptSeconds)
        deliveredByHint = counter(MetricNames.eventsDelivered, [("path", "hint")])
        deliveredByDrain = counter(MetricNames.eventsDelivered, [("path", "drain")])
        acknowledged = counter(MetricNames.eventsAcknowledged)
        delivery = timer(MetricNames.deliverySeconds)
        hintsPublished = counter(MetricNames.hintsPublished)
        hintsReceived = counter(MetricNames.hintsReceived)
        hintMissed = counter(MetricNames.hintMissed)
        hintGaps = counter(MetricNames.hintGaps)
        hintsStale = counter(MetricNames.hintsStale)
        publishErrors = counter(MetricNames.publishErrors)
        drains = counter(MetricNames.drains)
        windowFull = counter(MetricNames.windowFull)
        backstop = timer(MetricNames.backstopSeconds)
        commit = timer(MetricNames.commitSeconds)
        batchOperations = recorder(MetricNames.batchOperations)
        turnstile = timer(MetricNames.turnstileSeconds)
        storeRead = timer(MetricNames.readSeconds)
        redisReconnects = counter(MetricNames.redisReconnects)
        redisErrors = counter(MetricNames.redisErrors)
        probe = timer(MetricNames.probeSeconds)
        cameOnline = counter(MetricNames.presenceChanges, [("state", "online")])
        wentOffline = counter(MetricNames.presenceChanges, [("state", "offline")])
        eventLoopLag = timer(MetricNames.loopLagSeconds)
        rejectedByCode = Dictionary(
            uniqueKeysWithValues: ErrorCode.allCases.map { code in
                (code, counter(MetricNames.rejected, [("code", code.rawValue)]))
            })
        closedByCode = Dictionary(
            uniqueKeysWithValues: CloseCode.allCases.map { code in
                (code, counter(MetricNames.connectionsClosed, [("code", "\(code)")]))
            })
        closedWithoutCode = counter(MetricNames.connectionsClosed, [("code", "none")])
    }

    /// Sends answered `rejected` with this code.
    package func rejected(_ code: ErrorCode) -> Counter? { rejectedByCode[code] }

    /// Connections that we closed with this code; nil: that ended without one.
    package func closed(_ code: CloseCode?) -> Counter { code.flatMap { closedByCode[$0] } ?? closedWithoutCode }

    /// Handshakes refused for a reason. Takes a lock: for what is rare. A reason is one of a few constants.
    package func handshakeRefused(_ reason: String) -> Counter {
        Counter(label: MetricNames.handshakesRefused.name, dimensions: [("reason", reason)], factory: factory)
    }

    /// Requests refused by a limit. Takes a lock: for what is rare.
    package func rateLimited(_ what: String) -> Counter {
        Counter(label: MetricNames.rateLimited.name, dimensions: [("what", what)], factory: factory)
    }

    /// Credentials refused for a reason. Takes a lock: for what is rare.
    package func authenticationFailed(_ reason: String) -> Counter {
        Counter(label: MetricNames.authenticationFailures.name, dimensions: [("reason", reason)], factory: factory)
    }

    /// Failures of the store of a kind. Takes a lock: for what is rare.
    package func storeFailed(_ kind: String) -> Counter {
        Counter(label: MetricNames.storeErrors.name, dimensions: [("kind", kind)], factory: factory)
    }
}
