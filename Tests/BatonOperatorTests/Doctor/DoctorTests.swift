import Foundation
import Logging
import Testing

@testable import BatonNode
@testable import BatonOperator

@Suite("What the doctor says")
struct DoctorTests {
    @Test(
        "Eviction breaks what Redis holds, once there is a bound to evict at",
        arguments: [
            (0, "noeviction", Diagnosis.Result.ok), (1 << 30, "noeviction", .ok), (0, "allkeys-lru", .warning),
            (1 << 30, "volatile-ttl", .failure),
        ] as [(Int64, String, Diagnosis.Result)])
    func memory(maximum: Int64, policy: String, result: Diagnosis.Result) {
        let finding = DoctorRules.memory(maximum: maximum, policy: policy)
        #expect(finding.result == result)
        #expect((finding.change == nil) == (result == .ok))
    }

    @Test(
        "Subscribers need buffers that are large, and have an end",
        arguments: [
            ("normal 0 0 0 slave 1 1 60 pubsub 33554432 8388608 60", Diagnosis.Result.ok),
            ("pubsub 1048576 8388608 60", .warning), ("normal 0 0 0 pubsub 0 0 0", .warning), ("pubsub", .warning),
            ("", .warning), ("pubsub x y z", .warning),
        ])
    func buffers(limits: String, result: Diagnosis.Result) {
        #expect(DoctorRules.subscriberBuffers(limits).result == result)
    }

    @Test(
        "An old Redis is told from a new one",
        arguments: [
            ("redis_version:7.0.15", Diagnosis.Result.ok), ("x:1\r\nredis_version:6.2.0\r\n", .ok),
            ("redis_version:6.0.16", .warning), ("redis_version:5", .warning), ("nothing", .warning),
        ])
    func version(info: String, result: Diagnosis.Result) {
        #expect(DoctorRules.redisVersion(info).result == result)
    }

    @Test(
        "Clocks may differ a little",
        arguments: [
            (999, Diagnosis.Result.ok), (-999, .ok), (1_000, .warning), (-10_000, .failure), (Int64.min, .failure),
        ] as [(Int64, Diagnosis.Result)])
    func clock(skew: Int64, result: Diagnosis.Result) {
        #expect(DoctorRules.skew(milliseconds: skew).result == result)
    }

    @Test("Files, space and durability have their bounds")
    func bounds() {
        let wanted = OpenFiles.Shares(sockets: 1_000, plain: 100, reserve: 10)
        #expect(DoctorRules.openFiles(limit: 1_238, for: wanted).result == .ok)
        let few = DoctorRules.openFiles(limit: 1_237, for: wanted)
        #expect(few.change?.contains("ulimit -n 1238") == true)
        #expect(few.change?.contains("limits.connections=999") == true)
        let none = DoctorRules.openFiles(limit: 5, for: wanted)
        #expect(none.result == .warning && none.change?.contains("limits") == false)
        // What is advised is enough.
        let many = OpenFiles.Shares(sockets: 100_000, plain: 1_024, reserve: 128)
        let advice = DoctorRules.openFiles(limit: 1_024, for: many).change ?? ""
        #expect(advice.hasSuffix("--set limits.connections=656 --set limits.plainConnections=112"))
        let heeded = OpenFiles.Shares(sockets: 656, plain: 112, reserve: 128)
        #expect(DoctorRules.openFiles(limit: 1_024, for: heeded).result == .ok)
        #expect(DoctorRules.journal(mode: "wal", synchronous: 2).result == .ok)
        #expect(DoctorRules.journal(mode: "wal", synchronous: 1).result == .failure)
        #expect(DoctorRules.freeSpace(1 << 30, folder: "/").result == .ok)
        #expect(DoctorRules.freeSpace(1 << 20, folder: "/").result == .warning)
    }

    @Test("Without Redis and without a folder for the store both are failures, and nothing is made")
    func nothingThere() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let configuration = try NodeConfiguration.load(
            file: nil, environment: [:],
            flags: [
                ConfigurationSetting(assignment: "store.path=\(folder.path)/baton.sqlite"),
                ConfigurationSetting(assignment: "redis.url=redis://127.0.0.1:1/0"),
            ]
        ).configuration
        let logger = Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        let diagnosis = await Doctor(configuration, logger: logger).examine()
        #expect(!diagnosis.isHealthy)
        #expect(diagnosis.findings.prefix(2).map(\.check) == ["redis", "store"])
        #expect(diagnosis.findings.prefix(2).allSatisfy { $0.result == .failure && $0.change != nil })
        #expect(!FileManager.default.fileExists(atPath: folder.path))
    }

    @Test("Findings are printed with what to change below them")
    func text() {
        let diagnosis = Diagnosis(findings: [.ok("redis", "there"), .warning("clock", "late", change: "do this")])
        #expect(diagnosis.text() == "ok       redis  there\nwarning  clock  late\n         -> do this\n")
        #expect(diagnosis.isHealthy)
    }
}
