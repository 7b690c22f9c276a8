import BatonBench
import BatonChaos
import BatonHistory
import Foundation
import Testing

@Suite("Faults of all kinds under load", .alone, .serialized)
struct ChaosFaultTests {
    @Test(
        "A short run with the faults of a group keeps every promise",
        arguments: [[FaultKind.Group.network, .clients], [.redis], [.host], [.processes]])
    func passes(groups: [FaultKind.Group]) async throws {
        let executable = try TestCluster.executable("baton")
        let directory = NSTemporaryDirectory() + "baton-chaos-\(UUID().uuidString.prefix(8))"
        var settings = ChaosSettings(seed: 5, executable: executable, directory: directory)
        let shim = try #require(HostFaults.library(besides: executable), "the shim was not built")
        settings.shim = shim
        settings.faults = FaultSelection(
            kinds: Set(FaultKind.allCases.filter { groups.contains($0.group) }), named: [])
        settings.seconds = 8
        settings.killEvery = 4
        settings.users = 8
        settings.rate = 50
        let report = try await ChaosRun(settings, console: ChaosConsole(isQuiet: true)).run()
        #expect(report.outcome == .pass, "\(report.text)")
        #expect(report.faults.count >= 3)
        let cluster = try ClusterHistory(path: settings.historyDirectory + "/" + ClusterHistory.fileName)
        let began = cluster.records.compactMap { record in
            if case .fault(let number, _, _, _) = record.event { number } else { nil }
        }
        let healed = cluster.records.compactMap { record in
            if case .healed(let number) = record.event { number } else { nil }
        }
        #expect(began.sorted() == healed.sorted(), "every fault is mended, and both are written down")
        #expect(began.count == report.faults.count)
        // Kept for a look where it failed.
        if report.outcome == .pass { try? FileManager.default.removeItem(atPath: directory) }
    }
}
