import BatonCore
import BatonRedis
import NIOCore
import Synchronization

/// What the parts of a node know about its health, gathered for `/health/ready` and the log.
///
/// A node is ready while it takes connections and its canary's messages arrive. Without Redis it delivers to its own
/// clients: it is degraded, not unready, so that a cluster whose Redis died does not turn everybody away; it is unready
/// where other nodes have what it lacks. A store that only reads is more than degraded once the canary has failed for
/// its bound: nothing can be sent.
final class NodeState: Sendable {
    private struct Values {
        var isServing = false
        var isEvacuating = false
        /// By event loop: its connections to Redis are up and its probe comes back.
        var redisLoops: [Bool]
        var redisPID: Int?
        var isRedisEvicting = false
        /// By how much the clock is ahead of Redis', in milliseconds.
        var clockOffset: Int64 = 0
        var storeFailure: StoreError?
        /// The store's log is large, and a reader keeps it so.
        var isLogHeld = false
        /// When the commit began that is under way.
        var commitBegan: ContinuousClock.Instant?
        var holdsLease = true
    }

    /// The reason of a node without Redis.
    static let redisUnreachable = "redis_unreachable"

    private let values: Mutex<Values>
    private let standstill = Mutex(Standstill())
    /// What of the node's functions Redis refuses.
    let redis: RedisStanding
    /// Nil where the node has no canary.
    private let canary: CanaryWatch?
    /// By how much the clock is ahead of that of the store's other processes, which is used; in milliseconds.
    private let clockCorrection: @Sendable () -> Int64

    init(
        loops: Int, redis: RedisStanding = RedisStanding(), canary: CanaryWatch? = nil,
        clockCorrection: @escaping @Sendable () -> Int64 = { 0 }
    ) {
        self.redis = redis
        self.canary = canary
        self.clockCorrection = clockCorrection
        values = Mutex(Values(redisLoops: Array(repeating: false, count: loops)))
    }

    /// An event loop runs.
    func ticked() { standstill.withLock { $0.ticked(at: Self.monotonicMilliseconds) } }

    /// Whether the process stood still a moment ago.
    var stoodStill: Bool { standstill.withLock { $0.isRecent(at: Self.monotonicMilliseconds) } }

    private static var monotonicMilliseconds: Int64 {
        Int64(clamping: NIODeadline.now().uptimeNanoseconds / 1_000_000)
    }

    func serving() { values.withLock { $0.isServing = true } }
    func evacuating() { values.withLock { $0.isEvacuating = true } }
    func lease(isHeld: Bool) { values.withLock { $0.holdsLease = isHeld } }
    func redisPID(_ pid: Int?) { values.withLock { $0.redisPID = pid } }
    func redis(isEvicting: Bool) { values.withLock { $0.isRedisEvicting = isEvicting } }

    /// The clock was compared with Redis'.
    func clock(offset: Int64) { values.withLock { $0.clockOffset = offset } }

    var clockOffset: Int64 { values.withLock { $0.clockOffset } }

    static func isClockOff(_ offset: Int64) -> Bool { offset.magnitude > UInt64(Limits.Node.clockOffSeconds * 1_000) }

    /// With its sign: the clock is ahead, or behind.
    private static func seconds(_ milliseconds: Int64) -> String {
        "\(milliseconds < 0 ? "-" : "+")\((milliseconds.magnitude + 500) / 1_000)"
    }

    /// A commit began.
    func storeBegan(at now: ContinuousClock.Instant = .now) { values.withLock { $0.commitBegan = now } }

    /// A commit succeeded (nil) or failed.
    func store(_ failure: StoreError?) {
        values.withLock { values in
            values.storeFailure = failure
            values.commitBegan = nil
        }
    }

    /// A checkpoint was tried.
    func storeLog(isHeld: Bool) { values.withLock { $0.isLogHeld = isHeld } }

    func redis(loop: Int, isConnected: Bool) {
        values.withLock { values in
            if values.redisLoops.indices.contains(loop) { values.redisLoops[loop] = isConnected }
        }
    }

    /// Whether what this node and others say to each other arrives, as far as it knows.
    var hasBus: Bool {
        values.withLock { !$0.redisLoops.contains(false) } && !redis.isRefused(.hints)
            && !redis.isRefused(.subscriptions)
    }

    /// Whether a node with these reasons has the bus.
    static func hasBus(_ reasons: [String]) -> Bool {
        let without = [redisUnreachable] + [RedisFunction.login, .hints, .subscriptions].map(redisRefuses)
        return !reasons.contains { reason in without.contains { reason.hasPrefix($0) } }
    }

    /// How a reason begins; behind it stands why.
    static func redisRefuses(_ function: RedisFunction) -> String { "redis_refuses_\(function.rawValue)" }

    var redisLoopsConnected: Int { values.withLock { $0.redisLoops.count { $0 } } }
    var redisLoops: Int { values.withLock { $0.redisLoops.count } }
    var storeFailure: StoreError? { values.withLock { $0.storeFailure } }

    /// The state, for `NodeHealth`: ready, degraded and why.
    func summary() -> (ready: Bool, degraded: Bool, reasons: [String], redisPID: Int?) {
        let verdict = canary?.verdict
        let (hasBus, refused) = (hasBus, redis.refused)
        return values.withLock { values in
            var missing: [String] = []
            if values.redisLoops.contains(false) { missing.append(Self.redisUnreachable) }
            missing += RedisFunction.allCases.compactMap { function in
                refused[function].map { "\(Self.redisRefuses(function)):\($0.rawValue)" }
            }
            if values.isRedisEvicting { missing.append("redis_evicts_keys") }
            switch values.storeFailure {
            case nil: break
            case .diskFull: missing.append("store_full")
            case .overloaded, .unavailable, .closed: missing.append("store_failing")
            }
            if let began = values.commitBegan, .now - began > .seconds(Limits.Store.stalledSeconds) {
                missing.append("store_stalled")
            }
            if values.isLogHeld { missing.append("store_log_held") }
            missing += (verdict?.unreachable ?? []).map { "canary_cannot_reach:\($0.name)" }
            let correction = clockCorrection()
            var blocking: [String] = []
            // A node takes clients once its canary has proven that it delivers.
            if !values.isServing || verdict?.standing == .unproven { blocking.append("starting") }
            if verdict?.standing == .failing { blocking.append("canary_undelivered") }
            // Until the bus is back, and not only until the canary has looked again.
            if !hasBus {
                blocking += (verdict?.cutOffFrom ?? []).map { "canary_cut_off:\($0.name)" }
            }
            if Self.isClockOff(values.clockOffset) { blocking.append("clock_off:\(Self.seconds(values.clockOffset))") }
            if correction != 0 { missing.append("clock_corrected:\(Self.seconds(correction))") }
            if values.isEvacuating { blocking.append("evacuating") }
            if !values.holdsLease { blocking.append("lease_lost") }
            return (blocking.isEmpty, !missing.isEmpty, blocking + missing, values.redisPID)
        }
    }
}
