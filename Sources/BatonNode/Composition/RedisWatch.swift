import BatonCore
import BatonRedis
import BatonStore
import Logging
import NIOCore

/// Looks at Redis for the node's health: once a second at the connections, and more seldom at what Redis says of itself.
struct RedisWatch: Sendable {
    let parts: NodeParts

    private static let period = Duration.seconds(1)
    private static let informationPeriods = 5
    private static let patience = TimeAmount.seconds(1)
    /// For how long after an eviction a node says so, in looks.
    private static let evictionLooks = 12

    func run() async {
        var wasConnected = false
        var evictions = Evictions()
        var looks = 0
        while !Task.isCancelled {
            let health = await parts.redis.health()
            for (index, loop) in health.enumerated() {
                parts.state.redis(loop: index, isConnected: loop.isConnected)
            }
            parts.redis.standing.look()
            parts.canaryWatch?.bus(isThere: parts.state.hasBus)
            let isConnected = health.allSatisfy(\.isConnected)
            if isConnected, !wasConnected || looks.isMultiple(of: Self.informationPeriods) {
                await look(isNew: !wasConnected, &evictions)
            }
            wasConnected = isConnected
            looks += 1
            try? await ContinuousClock().sleep(for: Self.period)
        }
    }

    private func look(isNew: Bool, _ evictions: inout Evictions) async {
        await compareClocks()
        guard let text = await parts.redis.information(within: Self.patience) else { return }
        let information = RedisInfo(text)
        // Benchmarks read it.
        if isNew { parts.state.redisPID(information.number("process_id").flatMap { Int(exactly: $0) }) }
        guard let isEvicting = evictions.looked(evicted: information.number("evicted_keys") ?? 0) else { return }
        parts.state.redis(isEvicting: isEvicting)
        if isEvicting {
            parts.logger.warning(
                "Redis evicts keys: sessions and presence vanish; set maxmemory-policy noeviction, or give it memory",
                metadata: ["policy": "\(information["maxmemory_policy"] ?? "unknown")"])
        } else {
            parts.logger.notice("Redis has evicted no more keys")
        }
    }

    /// Redis corrects nothing. But the clock that differs is wrong, or Redis' is, and a person has to look.
    private func compareClocks() async {
        guard let offset = await parts.redis.clockOffset(of: SystemClock(), within: Self.patience) else { return }
        let wasOff = NodeState.isClockOff(parts.state.clockOffset)
        parts.state.clock(offset: offset)
        let isOff = NodeState.isClockOff(offset)
        parts.storePeers.doubtClock(isOff)
        guard isOff != wasOff else { return }
        if isOff {
            parts.logger.error(
                "the clock differs from Redis'; the node takes no clients: let chrony or systemd-timesyncd keep the clocks",
                metadata: ["milliseconds": "\(offset)"])
        } else {
            parts.logger.notice("the clock is Redis' again")
        }
    }

    /// Whether keys were evicted lately.
    struct Evictions {
        private var seen: Int64?
        private var quietLooks = 0
        private var isEvicting = false

        /// - Returns: nil where that has not changed.
        mutating func looked(evicted: Int64) -> Bool? {
            // Of what was evicted before the first look nothing is known; one that was started anew counts anew.
            let isMore = seen.map { evicted > $0 } ?? false
            seen = evicted
            quietLooks = isMore ? 0 : quietLooks + 1
            guard isMore != isEvicting, isMore || quietLooks >= RedisWatch.evictionLooks else { return nil }
            isEvicting = isMore
            return isMore
        }
    }
}
