import BatonRedis
import NIOCore

/// Looks at the Redis connections once a second for the node's health, and asks Redis for its process id when it
/// came (back), which the benchmarks read.
struct RedisWatch: Sendable {
    let parts: NodeParts

    private static let period = Duration.seconds(1)

    func run() async {
        var wasConnected = false
        while !Task.isCancelled {
            let health = await parts.redis.health()
            for (index, loop) in health.enumerated() {
                parts.state.redis(loop: index, isConnected: loop.isConnected)
            }
            let isConnected = health.allSatisfy(\.isConnected)
            parts.canaryWatch?.bus(isThere: isConnected)
            if isConnected, !wasConnected { parts.state.redisPID(await processID()) }
            wasConnected = isConnected
            try? await ContinuousClock().sleep(for: Self.period)
        }
    }

    private func processID() async -> Int? {
        guard let text = try? await parts.redis.run(RedisCommand("INFO", "server")).text else { return nil }
        let line = text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("process_id:") }
        return line.flatMap { Int($0.dropFirst("process_id:".count)) }
    }
}
