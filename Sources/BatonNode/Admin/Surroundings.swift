import BatonRedis
import BatonStore
import NIOCore

/// What the nodes share, asked by the one that tells of the cluster: Redis' server, and the store's backlog and disk.
struct Surroundings: Sendable {
    /// Events that the estimate of the backlog counts at most.
    static let countedBacklog = 100_000
    private static let redisPatience = TimeAmount.milliseconds(500)

    /// How many events wait in inboxes, up to the bound; nil where the store cannot be read.
    let backlog: @Sendable () async -> Int?
    let redisServer: @Sendable () async -> ClusterStatus.RedisServer?
    let disk: StoreDisk

    static func live(store: SQLiteStore, path: String, redis: RedisClient) -> Surroundings {
        Surroundings(
            backlog: { try? await store.inboxEvents(upTo: countedBacklog) },
            redisServer: {
                let start = NIODeadline.now()
                guard let text = await redis.information(within: redisPatience) else { return nil }
                let nanoseconds = (NIODeadline.now() - start).nanoseconds
                return ClusterStatus.RedisServer(
                    information: text, answerSeconds: Double(nanoseconds) / 1_000_000_000)
            }, disk: StoreDisk(path: path))
    }
}

extension ClusterStatus.RedisServer {
    /// Of what `INFO` says; zero for what it does not say.
    init(information: String, answerSeconds: Double) {
        var values: [Substring: Substring] = [:]
        for line in information.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[line[..<colon]] = line[line.index(after: colon)...]
        }
        func number(_ name: Substring) -> Int { values[name].flatMap { Int($0) } ?? 0 }
        self.init(
            version: String(values["redis_version"] ?? "unknown"), uptimeSeconds: number("uptime_in_seconds"),
            usedBytes: number("used_memory"), maximumBytes: number("maxmemory"), clients: number("connected_clients"),
            commandsPerSecond: number("instantaneous_ops_per_sec"), evictedKeys: number("evicted_keys"),
            answerSeconds: answerSeconds)
    }
}
