import BatonTestKit
import Foundation
import Testing

@Suite("The command `baton simulate`", .alone)
struct SimulateCommandTests {
    @Test("Thousands of schedules keep every promise, within two minutes")
    func thousands() async throws {
        let began = ContinuousClock.now
        let run = try await Self.run(["simulate", "--seeds", "2000", "--json"])
        let seconds = (ContinuousClock.now - began).components.seconds
        #expect(run.status == 0, "\(run.output)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
        #expect(object["schedules"] as? Int == 2_000)
        #expect(try #require(object["accepted"] as? Int) > 20_000)
        print("2000 schedules took \(seconds) s")
    }

    @Test("The same seed does the same in every process, event by event")
    func deterministic() async throws {
        for seed in ["11", "12", "13"] {
            let first = try await Self.run(["simulate", "--seed", seed, "--steps"])
            let second = try await Self.run(["simulate", "--seed", seed, "--steps"])
            #expect(first.output == second.output)
            #expect(first.output.contains("accepted as"))
            #expect(first.output.contains("again: baton simulate --seed \(seed)"))
        }
    }

    @Test(
        "A seed that once failed is sound",
        arguments: [
            // The last read of a user went with a connection that died, and was not told again.
            "5004"
        ])
    func regression(seed: String) async throws {
        let run = try await Self.run(["simulate", "--seed", seed])
        #expect(run.status == 0, "\(run.output)")
    }

    @Test("A schedule without end ends when its time is up")
    func forever() async throws {
        let run = try await Self.run(["simulate", "--forever", "--minutes", "0.02"])
        #expect(run.status == 0, "\(run.output)")
        #expect(run.output.contains("schedules"))
    }

    private static func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        // A trace is longer than a pipe.
        let path = NSTemporaryDirectory() + "simulate-\(UUID().uuidString).txt"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestCluster.executable("baton"))
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        process.standardError = FileHandle.nullDevice
        try process.run()
        let status = await process.end()
        return (status, try String(contentsOfFile: path, encoding: .utf8))
    }
}
