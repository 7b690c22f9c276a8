import BatonHistory
import Foundation
import Testing

@testable import BatonChaos

@Suite("The harness' own history")
struct ClusterRecordTests {
    @Test("Each kind of line is read as it was written")
    func roundTrip() throws {
        let folder = NSTemporaryDirectory() + "histories-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let events: [ClusterRecord.Event] = [
            .run(.init(seed: 7, command: "baton chaos --seed 7", wanted: 100, began: 1_795_000_000)),
            .stage(.baseline), .fault(number: 1, kind: "node", target: "n1", what: "SIGKILL of n1"),
            .healed(number: 1), .misbehaved(what: "n2 ended by itself"),
            .node(
                .init(
                    node: "n1", readiness: .degraded, reasons: ["redis_unreachable"], connections: 3,
                    residentKiB: 40_000, descriptors: 50)),
            .node(.init(node: "n2", readiness: .unreachable)),
            .redis(.init(sessions: 10, channels: 20, memoryKiB: 900)), .redis(.init()), .stage(.end),
        ]
        let file = try HistoryFile(path: "\(folder)/\(ClusterHistory.fileName)", began: .now)
        for event in events { file.append(event) }
        try file.close()
        let histories = try RunHistories(paths: [file.path])
        #expect(histories.cluster?.records.map(\.event) == events)
        #expect(histories.devices.isEmpty)
    }

    @Test("The command that makes a run again has the seed that was taken, and words that a shell takes as they are")
    func command() {
        #expect(
            RunCommandLine.text(arguments: ["chaos", "--users", "12", "--seed", "3"], seed: 7)
                == "baton chaos --users 12 --seed 7")
        #expect(
            RunCommandLine.text(
                arguments: ["chaos", "--seed=3", "--directory", "/here", "--report=x", "--faults", "a,b"], seed: 9)
                == "baton chaos --faults a,b --seed 9")
        #expect(
            RunCommandLine.text(arguments: ["chaos", "it's", "", "a b", "$(x)"], seed: 1)
                == #"baton chaos 'it'\''s' '' 'a b' '$(x)' --seed 1"#)
    }
}
