import BatonNode
import BatonRedis

/// What Redis' settings mean for Baton, which keeps nothing there that must not be lost.
extension DoctorRules {
    /// Descriptors of Redis that may be in use before it is called short.
    private static let clientsShare = 0.8
    private static let memoryShare = 0.9

    /// Who can reach Redis.
    static func redisAccess(_ url: RedisURL) -> Finding {
        let check = "redis access"
        switch url.place {
        case .unix: return .ok(check, "a socket")
        case .tcp where url.password != nil: return .ok(check, "with a password")
        case .tcp:
            return .warning(
                check, "no password: whoever reaches \(url) reads messages as they pass",
                change: "redis.conf: requirepass, and the password in redis.url; or unixsocket with unixsocketperm 700")
        }
    }

    /// - Parameter info: the answer to `INFO replication`.
    static func redisRole(_ info: RedisInfo) -> Finding {
        let check = "redis role"
        guard let role = info["role"] else { return .warning(check, "not told", change: nil) }
        guard role != "master" else { return .ok(check, "primary") }
        let primary = info["master_host"].map { host in " (\(host):\(info["master_port"] ?? "6379"))" } ?? ""
        return .failure(
            check, "a replica, which refuses to write", change: "redis.url: the primary's address\(primary)")
    }

    /// Snapshots.
    ///
    /// - Parameters:
    ///   - save: as CONFIG tells it: `3600 1 300 100`, or nothing.
    ///   - stopsWrites: `stop-writes-on-bgsave-error`.
    static func snapshots(save: String, stopsWrites: Bool, info: RedisInfo) -> Finding {
        let check = "redis snapshots"
        let off = "redis.conf: save \"\""
        if stopsWrites, info["rdb_last_bgsave_status"] == "err" {
            return .failure(
                check, "the last one failed, and Redis refuses to write until one works: no session, no presence",
                change: "redis.conf: stop-writes-on-bgsave-error no, and " + off)
        }
        guard !save.isEmpty else { return .ok(check, "none, and none are needed") }
        if stopsWrites {
            return .warning(
                check, "save \(save): one that fails, on a full disk say, makes Redis refuse all writes",
                change: off + "; or stop-writes-on-bgsave-error no")
        }
        return .warning(
            check, "save \(save): each forks, and what it brings back after a restart is out of date", change: off)
    }

    /// The append-only file.
    static func appendOnly(isOn: Bool, fsync: String) -> Finding {
        let check = "redis append only"
        guard isOn else { return .ok(check, "off") }
        let change = "redis.conf: appendonly no"
        let found =
            switch fsync {
            case "always": "every hint waits for Redis' disk (appendfsync always)"
            case "everysec": "a disk that is slow for 2 s stops Redis, and all hints (appendfsync everysec)"
            default: "hints are written to a disk for nothing (appendfsync \(fsync))"
            }
        return fsync == "always" ? .failure(check, found, change: change) : .warning(check, found, change: change)
    }

    /// - Parameter info: the answer to `INFO memory`.
    static func memoryUse(_ info: RedisInfo) -> Finding? {
        guard let used = info.number("used_memory"), let maximum = info.number("maxmemory"), maximum > 0 else {
            return nil
        }
        let check = "redis memory use"
        let found = "\(size(used)) of \(size(maximum))"
        guard Double(used) > Double(maximum) * memoryShare else { return .ok(check, found) }
        return .warning(
            check, "\(found): full, it refuses sessions and presence",
            change: "redis.conf: maxmemory \(max(1, maximum / 512 / 1_024))kb")
    }

    /// - Parameter info: the answer to `INFO clients`.
    static func clients(_ info: RedisInfo, maximum: Int64?) -> Finding? {
        guard let connected = info.number("connected_clients"), let maximum, maximum > 0 else { return nil }
        let check = "redis clients"
        let found = "\(connected) of \(maximum)"
        guard Double(connected) > Double(maximum) * clientsShare else { return .ok(check, found) }
        return .warning(
            check, "\(found): one more node may find no place", change: "redis.conf: maxclients \(connected * 4)")
    }
}
