import BatonTestKit
import Foundation
import Testing

@Suite("The command `baton simulate`", .alone)
struct SimulateCommandTests {
    @Test("Thousands of schedules keep every promise")
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

    @Test("A signal ends it at once, and it tells what it has", .timeLimit(.minutes(1)), arguments: [SIGTERM, SIGINT])
    func signal(_ signal: Int32) async throws {
        let process = Process()
        let (output, told) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: try TestCluster.executable("baton"))
        process.arguments = ["simulate", "--forever"]
        process.standardOutput = output
        process.standardError = told
        try process.run()
        let pid = process.processIdentifier
        let (elapsed, status) = try await withTaskCancellationHandler {
            // It hears signals before it says from which seed on it runs.
            _ = try told.fileHandleForReading.read(upToCount: 1)
            let began = ContinuousClock.now
            kill(pid, signal)
            let status = await process.end()
            return (ContinuousClock.now - began, status)
        } onCancel: {
            kill(pid, SIGKILL)
        }
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(elapsed < .seconds(2))
        #expect(status == 0 && text.contains("sound"), "\(text)")
    }

    private static func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        // A trace is longer than a pipe.
        let path = NSTemporaryDirectory() + "simulate-\(UUID().uuidString).txt"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestCluster.executable("baton"))
        process.arguments = arguments
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        process.standardError = FileHandle.nullDevice
        try process.run()
        let status = await process.end()
        return (status, try String(contentsOfFile: path, encoding: .utf8))
    }
}
