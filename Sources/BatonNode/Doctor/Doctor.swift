import BatonCore
import BatonRedis
import BatonStore
import Foundation
package import Logging
import NIOCore
import NIOPosix

/// Looks at what a node of this configuration would find: Redis, the store, the host. Changes nothing.
package struct Doctor: Sendable {
    private let configuration: NodeConfiguration
    private let logger: Logger

    package init(_ configuration: NodeConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    package func examine() async -> Diagnosis {
        var diagnosis = Diagnosis()
        await examineRedis(&diagnosis)
        examineStore(&diagnosis)
        examineHost(&diagnosis)
        return diagnosis
    }

    // MARK: Redis

    private func examineRedis(_ diagnosis: inout Diagnosis) async {
        let check = "redis"
        let url = configuration.redis.url
        let settings = RedisSettings(url: url, trust: configuration.redis.tlsCA.map { .file($0) } ?? .system)
        guard let name = NodeID("doctor") else { return }
        do {
            let redis = try await RedisClient.start(
                on: [MultiThreadedEventLoopGroup.singleton.next()], node: name, settings: settings, logger: logger)
            if await redis.waitUntilConnected(for: .seconds(Limits.Redis.connectSeconds)) {
                diagnosis.findings.append(.ok(check, "\(url)"))
                await examine(redis, &diagnosis)
            } else {
                diagnosis.findings.append(
                    .failure(check, "\(url) is not reachable", change: "start Redis, or set redis.url"))
            }
            await redis.close()
        } catch {
            diagnosis.findings.append(.failure(check, "\(url): \(error)", change: "correct redis.tlsCA"))
        }
    }

    private func examine(_ redis: RedisClient, _ diagnosis: inout Diagnosis) async {
        do throws(RedisError) {
            let info = try await redis.run(RedisCommand("INFO", "server"))
            diagnosis.findings.append(DoctorRules.redisVersion(info.text ?? ""))
            let policy = try await value(of: "maxmemory-policy", redis)
            let maximum = try await value(of: "maxmemory", redis)
            diagnosis.findings.append(DoctorRules.memory(maximum: Int64(maximum) ?? 0, policy: policy))
            let buffers = try await value(of: "client-output-buffer-limit", redis)
            diagnosis.findings.append(DoctorRules.subscriberBuffers(buffers))
            if let listpack = Int(try await value(of: "hash-max-listpack-value", redis)) {
                diagnosis.findings.append(DoctorRules.sessionEncoding(listpackValue: listpack))
            }
        } catch {
            // Hosted ones forbid CONFIG.
            diagnosis.findings.append(
                .warning("redis settings", "not told: \(error)", change: "look at them in its own console"))
        }
        await compareClocks(redis, &diagnosis)
    }

    private func value(of name: String, _ redis: RedisClient) async throws(RedisError) -> String {
        try await redis.run(RedisCommand("CONFIG", "GET", name)).array?.last?.text ?? ""
    }

    /// The reply is as old as half of the round trip.
    private func compareClocks(_ redis: RedisClient, _ diagnosis: inout Diagnosis) async {
        let before = SystemClock().now.milliseconds
        guard let time = try? await redis.run(RedisCommand("TIME")).array, time.count == 2,
            let seconds = time[0].text.flatMap({ Int64($0) }), let micro = time[1].text.flatMap({ Int64($0) })
        else { return }
        let here = (before + SystemClock().now.milliseconds) / 2
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { return }
        diagnosis.findings.append(DoctorRules.skew(milliseconds: milliseconds &+ micro / 1_000 &- here))
    }

    // MARK: The store

    private func examineStore(_ diagnosis: inout Diagnosis) {
        let check = "store"
        let path = configuration.store.path
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else {
            let why = String(cString: strerror(errno))
            diagnosis.findings.append(
                .failure(
                    check, "\(folder): \(why)", change: "make the folder, writable for the node, or set store.path"))
            return
        }
        if access(path, F_OK) != 0 {
            diagnosis.findings.append(.ok(check, "\(path) will be made by the first node"))
        } else if access(path, R_OK | W_OK) != 0 {
            let why = String(cString: strerror(errno))
            diagnosis.findings.append(.failure(check, "\(path): \(why)", change: "chown it to the node's user"))
        } else {
            do {
                let modes = try StoreInspector.modes(path: path)
                diagnosis.findings.append(.ok(check, path))
                diagnosis.findings.append(DoctorRules.journal(mode: modes.journal, synchronous: modes.synchronous))
            } catch {
                diagnosis.findings.append(.failure(check, "\(error)", change: "set store.path, or restore a backup"))
            }
        }
        var space = statvfs()
        if statvfs(folder, &space) == 0 {
            let bytes = Int64(clamping: UInt64(space.f_bavail)).multipliedReportingOverflow(by: Int64(space.f_frsize))
            diagnosis.findings.append(
                DoctorRules.freeSpace(bytes.overflow ? .max : bytes.partialValue, folder: folder))
        }
    }

    // MARK: The host

    private func examineHost(_ diagnosis: inout Diagnosis) {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            diagnosis.findings.append(
                DoctorRules.openFiles(
                    limit: Int(clamping: limit.rlim_cur), connections: configuration.limits.connections))
        }
    }
}
