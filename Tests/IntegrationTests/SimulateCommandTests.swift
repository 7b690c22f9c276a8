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

    @Test("A signal ends it at once, and it tells what it has", arguments: [SIGTERM, SIGINT])
    func signal(_ signal: Int32) async throws {
        var elapsed = Duration.zero
        let run = try await Self.run(["simulate", "--forever"]) { process, told in
            let clock = ContinuousClock()
            let deadline = clock.now + .seconds(30)
            // It hears signals before it says from which seed on it runs.
            while clock.now < deadline, try !told().contains("seeds from") {
                try await clock.sleep(for: .milliseconds(20))
            }
            let began = clock.now
            kill(process.processIdentifier, signal)
            // Whatever hangs is not to hang this test.
            while clock.now < began + .seconds(20), process.isRunning { try await clock.sleep(for: .milliseconds(5)) }
            elapsed = clock.now - began
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        #expect(elapsed < .seconds(2))
        #expect(run.status == 0 && run.output.contains("sound"), "\(run.output)")
    }

    private static func run(
        _ arguments: [String],
        meanwhile: (Process, _ told: () throws -> String) async throws -> Void = { _, _ in }
    ) async throws -> (status: Int32, output: String) {
        // A trace is longer than a pipe.
        let path = NSTemporaryDirectory() + "simulate-\(UUID().uuidString)"
        let (output, told) = (path + ".txt", path + ".log")
        defer { for file in [output, told] { try? FileManager.default.removeItem(atPath: file) } }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try TestCluster.executable("baton"))
        process.arguments = arguments
        for file in [output, told] { try #require(FileManager.default.createFile(atPath: file, contents: nil)) }
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: told))
        try process.run()
        try await meanwhile(process) { try String(contentsOfFile: told, encoding: .utf8) }
        let status = await process.end()
        return (status, try String(contentsOfFile: output, encoding: .utf8))
    }
}
