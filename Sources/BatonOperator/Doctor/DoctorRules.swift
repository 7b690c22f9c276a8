import BatonCore
import BatonNode
import Foundation

/// What is good and what is not. Pure: the values come from `Doctor`, the thresholds and the lines to change are here.
enum DoctorRules {
    typealias Finding = Diagnosis.Finding

    /// Debian 12 has 7.0; what the scripts use is in all versions from here on.
    private static let leastRedis = [6, 2]
    /// Bytes of a subscriber's output buffer that a burst of hints may fill.
    private static let subscriberBytes: Int64 = 32 * 1024 * 1024
    private static let freeBytes: Int64 = 1024 * 1024 * 1024
    /// - Parameter info: the answer to `INFO server`.
    static func redisVersion(_ info: String) -> Finding {
        let check = "redis version"
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("redis_version:") }
        guard let version = line?.dropFirst("redis_version:".count) else {
            return .warning(check, "not told", change: nil)
        }
        let numbers = version.split(separator: ".").map { Int($0) ?? 0 }
        guard numbers.lexicographicallyPrecedes(leastRedis) else { return .ok(check, String(version)) }
        return .warning(check, String(version), change: "install Redis 6.2 or newer")
    }

    /// Without a bound nothing is ever evicted, whatever the policy.
    static func memory(maximum: Int64, policy: String) -> Finding {
        let check = "redis memory"
        let change = "redis.conf: maxmemory-policy noeviction"
        if policy == "noeviction" {
            return .ok(check, maximum > 0 ? "noeviction, at most \(size(maximum))" : "noeviction, no maximum")
        }
        guard maximum > 0 else {
            return .warning(check, "\(policy), without effect while maxmemory is 0", change: change)
        }
        return .failure(check, "\(policy): sessions and presence vanish when memory is short", change: change)
    }

    /// - Parameter limits: as CONFIG tells them: `normal 0 0 0 slave … pubsub 33554432 8388608 60`.
    static func subscriberBuffers(_ limits: String) -> Finding {
        let check = "redis subscribers"
        let change = "redis.conf: client-output-buffer-limit pubsub 32mb 8mb 60"
        let words = limits.split(separator: " ")
        guard let index = words.firstIndex(of: "pubsub"), index + 3 < words.count,
            let hard = Int64(words[index + 1]), let soft = Int64(words[index + 2])
        else { return .warning(check, "the buffers' limits are not told", change: change) }
        if hard == 0 {
            return .warning(check, "buffers have no limit: one dead node can fill the memory", change: change)
        }
        guard hard >= subscriberBytes else {
            return .warning(check, "a burst of \(size(hard)) disconnects a node", change: change)
        }
        return .ok(check, "buffers of \(size(hard)), \(size(soft)) for longer")
    }

    static func sessionEncoding(listpackValue: Int) -> Finding {
        let check = "redis sessions"
        guard listpackValue < 192 else { return .ok(check, "compact (hash-max-listpack-value \(listpackValue))") }
        return .warning(
            check, "some 200 bytes more for each session (hash-max-listpack-value \(listpackValue))",
            change: "redis.conf: hash-max-listpack-value 192")
    }

    /// - Parameter milliseconds: Redis' clock minus this host's.
    static func skew(milliseconds: Int64) -> Finding {
        let check = "clock"
        let distance = milliseconds.magnitude
        guard distance >= 1_000 else { return .ok(check, "within \(distance) ms of Redis' host") }
        let found = "\(distance) ms \(milliseconds > 0 ? "behind" : "ahead of") Redis' host"
        let change = "let chrony or systemd-timesyncd keep the clocks of all hosts"
        // Nodes of this host take no clients then.
        return distance >= UInt64(Limits.Node.clockOffSeconds * 1_000)
            ? .failure(check, found, change: change) : .warning(check, found, change: change)
    }

    /// - Parameter limit: the one that a node can raise its own to, or has.
    static func openFiles(_ check: String = "open files", limit: Int, for wanted: OpenFiles.Shares) -> Finding {
        let needed = wanted.descriptors
        guard limit < needed else { return .ok(check, "\(limit), enough for \(wanted.sockets) connections") }
        let change = "LimitNOFILE=\(needed) in the service, or ulimit -n \(needed), and a restart"
        let plain = OpenFiles.shares(wanted: wanted, limit: limit).plain
        let sockets = limit - (needed - wanted.sockets - wanted.plain) - plain
        let fewer =
            sockets < 1
            ? ""
            : "; or --set limits.connections=\(sockets)"
                + (plain < wanted.plain ? " --set limits.plainConnections=\(plain)" : "")
        return .warning(
            check, "\(limit), too few for limits.connections = \(wanted.sockets)", change: change + fewer)
    }

    static func journal(mode: String, synchronous: Int) -> Finding {
        let check = "store durability"
        if mode == "wal", synchronous == 2 { return .ok(check, "journal_mode=wal synchronous=full") }
        return .failure(
            check, "journal_mode=\(mode) synchronous=\(synchronous): what is accepted may be lost",
            change: "let nodes open the file by themselves, on a file system of this host (no NFS)")
    }

    static func freeSpace(_ bytes: Int64, folder: String) -> Finding {
        let check = "store space"
        guard bytes < freeBytes else { return .ok(check, "\(size(bytes)) free") }
        return .warning(
            check, "\(size(bytes)) free in \(folder)", change: "make room, or set store.retention to fewer days")
    }

    static func size(_ bytes: Int64) -> String {
        switch bytes {
        case ..<10_240: "\(bytes) bytes"
        case ..<10_485_760: "\(bytes / 1_024) KiB"
        case ..<10_737_418_240: "\(bytes / 1_048_576) MiB"
        default: "\(bytes / 1_073_741_824) GiB"
        }
    }
}
