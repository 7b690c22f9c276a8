import BatonChaos
import BatonCore
import BatonStore
import Foundation
import Testing

/// What is accepted is on disk, whatever the disk does. Loss of power is played: a library in the writing process keeps
/// a copy of what was really synced, in which a failed sync leaves what was there before, as kernels do.
@Suite("A disk that fails", .timeLimit(.minutes(2)))
struct FaultyDiskTests {
    @Test("Syncs that fail under load, then a kill and a loss of power, lose nothing that was accepted")
    func failingSyncs() async throws {
        try await withDisk { disk in
            let writer = try disk.writer("one", retries: true)
            writer.prints(200)
            disk.faults.failSyncs(3)
            writer.prints(400)
            disk.faults.failSyncs()
            try await disk.hasFailed(syncs: 6)
            disk.faults.heal()
            writer.prints(600)
            let accepted = writer.killed()
            #expect(accepted.count >= 600)
            try disk.losePower()
            try await disk.holds(accepted)
        }
    }

    @Test("What a failed sync left is on disk before the next process accepts anything behind it")
    func restartAfterFailure() async throws {
        try await withDisk { disk in
            let first = try disk.writer("first")
            first.prints(100)
            // It ends at the first failure, and leaves a whole transaction in the log that no sync has brought to disk.
            disk.faults.failSyncs(1)
            var accepted = first.ended()
            #expect(disk.faults.value(of: .failedSyncs) == 1)
            let second = try disk.writer("second")
            second.prints(100)
            accepted.merge(second.killed()) { $1 }
            #expect(accepted.count >= 200)
            try disk.losePower()
            try await disk.holds(accepted)
        }
    }

    @Test("A disk without room refuses, and takes everything again when there is room")
    func full() async throws {
        try await withDisk { disk in
            let writer = try disk.writer("full", retries: true)
            writer.prints(100)
            disk.faults.fillDisk()
            try await disk.hasRefusedWrites(5)
            disk.faults.heal()
            writer.prints(300)
            let accepted = writer.killed()
            try disk.losePower()
            try await disk.holds(accepted)
        }
    }

    private func withDisk(_ body: (FaultyDisk) async throws -> Void) async throws {
        try await TemporaryStore.withFolder { folder in
            let disk = try await FaultyDisk(in: folder)
            try await body(disk)
        }
    }
}

/// A store whose writers have the fault shim in them.
private struct FaultyDisk {
    let faults: HostFaults
    private let settings: StoreSettings
    private let people = People()
    private let copies: URL
    private let environment: [String: String]

    init(in folder: String) async throws {
        settings = StoreSettings(path: folder + "/baton.db")
        let people = people
        try await TemporaryStore.open(settings) { try await people.register(in: $0) }
        copies = URL(fileURLWithPath: folder + "/disk")
        try FileManager.default.createDirectory(at: copies, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: URL(fileURLWithPath: settings.path), to: copies.appendingPathComponent("baton.db"))
        faults = try HostFaults(path: folder + "/faults")
        let library = try StoreWriter.executable(HostFaults.libraryName).path
        environment = faults.environment(library: library, files: settings.path)
            .merging(["FAULT_SHIM_DISK": copies.path]) { $1 }
    }

    func writer(_ prefix: String, retries: Bool = false) throws -> StoreWriter {
        try StoreWriter(
            path: settings.path, people: people, prefix: prefix, retries: retries, environment: environment)
    }

    func hasFailed(syncs count: Int64) async throws { try await reaches(count, .failedSyncs) }

    func hasRefusedWrites(_ count: Int64) async throws { try await reaches(count, .failedWrites) }

    private func reaches(_ count: Int64, _ field: HostFaults.Field) async throws {
        while faults.value(of: field) < count { try await ContinuousClock().sleep(for: .milliseconds(1)) }
    }

    /// Puts what the disk really holds into the place of what the kernel says.
    func losePower() throws {
        for name in ["", "-wal"] {
            let file = URL(fileURLWithPath: settings.path + name)
            try? FileManager.default.removeItem(at: file)
            let copy = copies.appendingPathComponent("baton.db" + name)
            if FileManager.default.fileExists(atPath: copy.path) {
                try FileManager.default.copyItem(at: copy, to: file)
            }
        }
        try? FileManager.default.removeItem(atPath: settings.path + "-shm")
    }

    /// Everything that was accepted is there, once, under the sequence that was told, without holes.
    func holds(_ accepted: [String: String]) async throws {
        try await TemporaryStore.open(settings) { store in
            let inbox = try await store.everything(of: people.bob)
            #expect(inbox.map(\.sequence.rawValue) == Array(1...UInt64(max(1, inbox.count))))
            var stored: [String: String] = [:]
            for event in inbox {
                guard case .message(let message) = event.body else { continue }
                #expect(
                    stored.updateValue(
                        message.id.sequence.description, forKey: String(decoding: message.payload, as: UTF8.self))
                        == nil)
            }
            let missing = accepted.filter { stored[$0.key] != $0.value }
            #expect(missing.isEmpty, "\(missing.count) of \(accepted.count) accepted messages are gone")
        }
    }
}
