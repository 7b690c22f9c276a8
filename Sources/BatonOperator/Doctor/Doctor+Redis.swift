import BatonCore
import BatonNode
import BatonRedis
import NIOCore

/// Redis' settings and state.
extension Doctor {
    func examine(_ redis: RedisClient, _ diagnosis: inout Diagnosis) async {
        diagnosis.findings.append(DoctorRules.redisAccess(configuration.redis.url))
        do throws(RedisError) {
            diagnosis.findings.append(DoctorRules.redisVersion(try await info("server", redis)))
            diagnosis.findings.append(DoctorRules.redisRole(RedisInfo(try await info("replication", redis))))
            let policy = try await value(of: "maxmemory-policy", redis)
            let maximum = try await value(of: "maxmemory", redis)
            diagnosis.findings.append(DoctorRules.memory(maximum: Int64(maximum) ?? 0, policy: policy))
            let memory = RedisInfo(try await info("memory", redis))
            if let finding = DoctorRules.memoryUse(memory) { diagnosis.findings.append(finding) }
            let buffers = try await value(of: "client-output-buffer-limit", redis)
            diagnosis.findings.append(DoctorRules.subscriberBuffers(buffers))
            let clients = RedisInfo(try await info("clients", redis))
            let maximumClients = Int64(try await value(of: "maxclients", redis))
            if let finding = DoctorRules.clients(clients, maximum: maximumClients) {
                diagnosis.findings.append(finding)
            }
            try await examinePersistence(redis, &diagnosis)
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

    private func examinePersistence(_ redis: RedisClient, _ diagnosis: inout Diagnosis) async throws(RedisError) {
        let persistence = RedisInfo(try await info("persistence", redis))
        let stopsWrites = try await value(of: "stop-writes-on-bgsave-error", redis)
        diagnosis.findings.append(
            DoctorRules.snapshots(
                save: try await value(of: "save", redis), stopsWrites: stopsWrites == "yes", info: persistence))
        diagnosis.findings.append(
            DoctorRules.appendOnly(
                isOn: try await value(of: "appendonly", redis) == "yes",
                fsync: try await value(of: "appendfsync", redis)))
    }

    private func info(_ section: String, _ redis: RedisClient) async throws(RedisError) -> String {
        try await redis.run(RedisCommand("INFO", section)).text ?? ""
    }

    private func value(of name: String, _ redis: RedisClient) async throws(RedisError) -> String {
        try await redis.run(RedisCommand("CONFIG", "GET", name)).array?.last?.text ?? ""
    }

    private func compareClocks(_ redis: RedisClient, _ diagnosis: inout Diagnosis) async {
        guard let offset = await redis.clockOffset(of: SystemClock(), within: Self.clockPatience) else { return }
        diagnosis.findings.append(DoctorRules.skew(milliseconds: -offset))
    }

    private static let clockPatience = TimeAmount.seconds(1)
}
