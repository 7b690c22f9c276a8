import BatonChaos
import BatonHistory
import BatonTestKit
import Foundation
import Testing

/// The library in a program that is none of ours: what it does to `dd` and `date`, it does to a node.
@Suite("The faults of a host", .timeLimit(.minutes(1)))
struct HostFaultsTests {
    @Test("Writes fail as on a full disk, those of the chosen files only, and succeed again")
    func diskFull() async throws {
        try await withFaults { faults, run in
            faults.fillDisk()
            let said1 = try await run("dd if=/dev/zero of=store-wal bs=1 count=1 2>&1")
            #expect(said1.contains("No space left"))
            let said2 = try await run("dd if=/dev/zero of=other bs=1 count=1 && echo fine")
            #expect(said2.contains("fine"))
            #expect(faults.value(of: .failedWrites) > 0)
            faults.heal()
            let said3 = try await run("dd if=/dev/zero of=store-wal bs=1 count=1 && echo fine")
            #expect(said3.contains("fine"))
        }
    }

    @Test("As many syncs fail as were ordered, and all where no number was")
    func syncs() async throws {
        try await withFaults { faults, run in
            let sync = "dd if=/dev/zero of=store bs=1 count=1 conv=fsync 2>/dev/null && echo fine || echo broken; "
            faults.failSyncs(2)
            let said4 = try await run(sync + sync + sync)
            #expect(said4.split(separator: "\n") == ["broken", "broken", "fine"])
            faults.failSyncs()
            let said5 = try await run(sync + sync)
            #expect(said5.split(separator: "\n") == ["broken", "broken"])
            faults.heal()
            let said6 = try await run(sync)
            #expect(said6.contains("fine"))
            #expect(faults.value(of: .failedSyncs) == 4)
        }
    }

    @Test("Syncs take longer")
    func slow() async throws {
        try await withFaults { faults, run in
            faults.delaySyncs(by: .milliseconds(300))
            let start = ContinuousClock.now
            let said7 = try await run("dd if=/dev/zero of=store bs=1 count=1 conv=fsync && echo fine")
            #expect(said7.contains("fine"))
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            #expect(faults.value(of: .delayedSyncs) == 1)
        }
    }

    @Test("Civil time is wrong both ways, and monotonic time is not", arguments: [3_600, -3_600])
    func clock(offset: Int) async throws {
        try await withFaults { faults, run in
            faults.setClock(wrongBy: .seconds(offset))
            let told = try #require(Double(try await run("date +%s").trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(abs(told - Date.now.timeIntervalSince1970 - Double(offset)) < 60)
            let monotonic = "python3 -c 'import time; print(int(time.monotonic()))'"
            let before = try await run(monotonic)
            faults.heal()
            let after = try await run(monotonic)
            let seconds = [before, after].compactMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            if seconds.count == 2 { #expect(abs(seconds[1] - seconds[0]) < 60) }
        }
    }

    /// A folder, faults for its files that begin with `store`, and a shell there with the library in it.
    private func withFaults(
        _ body: (HostFaults, (String) async throws -> String) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let faults = try HostFaults(path: folder.path + "/faults")
        let test = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let library = try #require(HostFaults.library(besides: test), "the shim was not built beside the tests")
        let environment = faults.environment(library: library, files: folder.path + "/store")
        try await body(faults) { command in try await Self.run(command, in: folder, environment) }
    }

    private static func run(_ command: String, in folder: URL, _ environment: [String: String]) async throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.ended()
        return String(decoding: data, as: UTF8.self)
    }
}
