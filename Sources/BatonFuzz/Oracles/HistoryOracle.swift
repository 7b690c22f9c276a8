import BatonChaos
import BatonHistory
import Foundation

/// Files of a run, as `baton chaos check` takes them: devices' histories with a record separator (0x1e) between them, and behind
/// a second kind of separator (0x1d) the harness' own.
enum HistoryOracle: FuzzOracle {
    static let largest = 64 * 1024

    static func work(_ bytes: [UInt8]) { _ = histories(bytes) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let histories = histories(bytes)
        for history in histories.devices {
            let lines = history.records.map { HistoryFile.line($0) + "\n" }.joined()
            guard let again = try? DeviceHistory(name: history.name, lines: Data(lines.utf8), history.name) else {
                throw FuzzFinding("a history that was read and written cannot be read")
            }
            try expect(again.records == history.records, "a history is another one when it was written")
        }
        if let cluster = histories.cluster {
            let lines = cluster.records.map { HistoryFile.line($0) + "\n" }.joined()
            let again = try? ClusterHistory(lines: Data(lines.utf8), cluster.name)
            try expect(again?.records == cluster.records, "the harness' history is another one when it was written")
        }
        guard !histories.devices.isEmpty else { return }
        // Whatever was written, there is a verdict, and a page that shows it.
        let verdict = HistoryChecker.check(histories.devices, cluster: histories.cluster)
        let report = ChaosReport(histories, verdict)
        let json = report.json(page: nil)
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(json.utf8))) != nil
        try expect(isJSON, "a verdict that is no JSON: \(json)")
        _ = report.text
        _ = ReportPage(report).html
    }

    private static func histories(_ bytes: [UInt8]) -> RunHistories {
        let kinds = bytes.split(separator: 0x1d, maxSplits: 1, omittingEmptySubsequences: false)
        let devices = kinds[0].split(separator: 0x1e).enumerated().compactMap { number, lines in
            try? DeviceHistory(name: "\(number).jsonl", lines: Data(lines), "\(number).jsonl")
        }
        let cluster = kinds.dropFirst().first.flatMap { try? ClusterHistory(lines: Data($0), ClusterHistory.fileName) }
        return RunHistories(devices: devices, cluster: cluster)
    }
}
