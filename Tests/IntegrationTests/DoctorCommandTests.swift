import BatonBench
import BatonChaos
import BatonHistory
import BatonTestKit
import Foundation
import Testing

@Suite("The command `baton doctor`", .serialized, .timeLimit(.minutes(2)), .cluster(nodes: 2, isProxied: true))
struct DoctorCommandTests {
    @Test("Of a cluster that is well it finds the nodes, their clocks and their limits, and no failure")
    func healthy() async throws {
        let cluster = try #require(TestCluster.current)
        let (diagnosis, status) = try await DoctorReport.of([
            "--redis", cluster.local.redisURL + "/0", "--store", cluster.local.storePath, "--set",
            "auth.keysFile=\(cluster.directory)/keys.json", "--balancer", cluster.local.nodeURLs[0],
            "--idle", "1",
        ])
        for check in [
            "redis", "redis role", "redis snapshots", "redis append only", "clock", "store", "store durability",
            "store last stop", "store upgrade", "store lock", "store access", "signing keys", "node n1", "node n2",
            "clocks of nodes", "balancer", "balancer idle",
        ] {
            #expect(diagnosis[check]?.result == "ok", "\(check): \(diagnosis[check]?.found ?? "no finding")")
        }
        #expect(diagnosis["open files of n1"] != nil)
        // A node asked in place of a balancer shows what is for inside, as it should not through one.
        #expect(
            diagnosis.findings.filter { $0.result == "failure" }.map(\.check) == [
                "balancer /metrics", "balancer /admin",
            ])
        #expect(status == 1)
    }

    @Test("A balancer that cuts idle connections off, or lets no WebSocket through, is found by trying it")
    func idle() async throws {
        let cluster = try #require(TestCluster.current)
        let proxy = cluster.local.clientProxies[0]
        let arguments = [
            "--redis", cluster.local.redisURL + "/0", "--store", cluster.local.storePath, "--set",
            "auth.keysFile=\(cluster.directory)/keys.json", "--balancer", cluster.local.clientURLs[0],
        ]
        var cut: DoctorReport.Finding?
        // A node counts a connection a moment before it greets the client, who then was not connected yet.
        for _ in 0..<5 where cut?.found.contains("cut off") != true {
            async let examined = DoctorReport.of(arguments)
            try await cluster.untilHealth(of: 0) { $0.contains(#""connections":1"#) }
            try await proxy.dropAll()
            cut = try await examined.report["balancer idle"]
            try await cluster.untilHealth(of: 0) { $0.contains(#""connections":0"#) }
        }
        #expect(cut?.result == "failure" && cut?.found.contains("cut off after 0 s") == true, "\(cut as Any)")
        #expect(cut?.change?.contains("timeout tunnel") == true && cut?.change?.contains("proxy_read_timeout") == true)

        let untried = try await DoctorReport.of(arguments + ["--idle", "0"]).report
        #expect(untried["balancer"]?.result == "ok" && untried["balancer idle"] == nil)
        let unknown = try await DoctorReport.of(arguments + ["--set", "admin.tokenFile=/nowhere/token"]).report
        #expect(unknown["balancer idle"]?.result == "warning")
    }

    @Test("What is wrong with Redis, the keys and the balancer is a finding each, with the line to change")
    func ill() async throws {
        let redis = try await RedisServerFixture.start(
            .init(arguments: [
                "--maxmemory", "1gb", "--maxmemory-policy", "allkeys-lru", "--appendonly", "yes", "--appendfsync",
                "always", "--save", "3600 1", "--client-output-buffer-limit", "pubsub 1mb 1mb 60",
            ]))
        defer { redis.stop() }
        let (keys, balancer) = (redis.directory.path + "/keys.json", redis.directory.path + "/haproxy.cfg")
        try #require(
            FileManager.default.createFile(
                atPath: keys, contents: Data("{}".utf8), attributes: [.posixPermissions: 0o644]))
        let text = "defaults\n  timeout client 60s\n  timeout tunnel 15s\nfrontend clients\nbackend nodes\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: balancer))
        let (diagnosis, status) = try await DoctorReport.of([
            "--redis", redis.url, "--store", redis.directory.path + "/baton.sqlite", "--set", "auth.keysFile=\(keys)",
            "--haproxy", balancer,
        ])
        #expect(status == 1)
        for (check, result, change) in [
            ("redis memory", "failure", "redis.conf: maxmemory-policy noeviction"),
            ("redis subscribers", "warning", "redis.conf: client-output-buffer-limit pubsub 32mb 8mb 60"),
            ("redis append only", "failure", "redis.conf: appendonly no"),
            ("redis snapshots", "warning", #"redis.conf: save ""; or stop-writes-on-bgsave-error no"#),
            ("signing keys", "failure", "chmod 600 \(keys)"),
            ("balancer clients", "failure", "\(balancer):3: timeout tunnel 5m"),
            ("balancer nodes", "failure", "\(balancer):3: timeout tunnel 5m"),
        ] {
            let finding = diagnosis[check]
            #expect(finding?.result == result && finding?.change == change, "\(check): \(finding as Any)")
        }
        #expect(diagnosis["balancer health"]?.result == "warning")
    }
}
