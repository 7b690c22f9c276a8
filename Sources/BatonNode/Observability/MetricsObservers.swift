import BatonCore
import BatonRedis
import BatonStore
import CoreMetrics
import Metrics
import NIOCore

/// Binds what the store tells to the node's metrics and health.
struct StoreMetricsObserver: StoreObserver {
    let metrics: NodeMetrics
    let state: NodeState

    func began() { state.storeBegan() }

    func committed(_ report: CommitReport) {
        metrics.commit.recordNanoseconds((report.executed + report.committed).wholeNanoseconds)
        metrics.batchOperations.record(report.operations)
        metrics.turnstile.recordNanoseconds(report.waited.wholeNanoseconds)
        metrics.storeQueue.record(report.queued)
        metrics.walPages.record(report.walPages)
        state.store(nil)
    }

    func commitFailed(_ error: StoreError, operations: Int) {
        metrics.storeFailed(error.kind).increment(by: operations)
        state.store(error)
    }

    func overloaded(operations: Int) { metrics.storeFailed(StoreError.overloaded.kind).increment(by: operations) }

    func checkpointed(_ report: CheckpointReport) {
        metrics.checkpoint.recordNanoseconds(report.duration.wholeNanoseconds)
        state.storeLog(isHeld: report.isHeld)
    }
}

/// Binds what happens between the node and Redis to the node's metrics.
struct RedisMetricsObserver: RedisObserver {
    let metrics: NodeMetrics

    func publishFailed(_ error: RedisError) { metrics.redisErrors.increment() }
    func connected(_ role: RedisRole, attempts: Int) { metrics.redisReconnects.increment() }
    func disconnected(_ role: RedisRole, _ error: RedisError) { metrics.redisErrors.increment() }
    func probeHeard(after roundTrip: TimeAmount) { metrics.probe.recordNanoseconds(roundTrip.nanoseconds) }
    func probeMissed() { metrics.redisErrors.increment() }
    func unprovenMessage() { metrics.unproven.increment() }
    func undecodableMessage() { metrics.undecodable.increment() }
}

extension StoreError {
    /// All labels.
    static let kinds = [StoreError.overloaded, .diskFull, .unavailable(""), .closed].map(\.kind)

    /// A label's value: the case without what the medium said.
    var kind: String {
        switch self {
        case .overloaded: "overloaded"
        case .diskFull: "disk_full"
        case .unavailable: "unavailable"
        case .closed: "closed"
        }
    }
}

extension Duration {
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
