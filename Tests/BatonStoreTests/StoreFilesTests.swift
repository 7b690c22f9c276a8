import BatonCore
import BatonTestKit
import Foundation
import Logging
import Synchronization
import Testing

@testable import BatonStore

@Suite("The files of a store", .timeLimit(.minutes(1)))
struct StoreFilesTests {
    /// The modes of all files in a folder, by name.
    private func modes(in folder: String) throws -> [String: UInt32] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return Dictionary(uniqueKeysWithValues: names.map { ($0, StoreFiles.mode(of: "\(folder)/\($0)") ?? 0) })
    }

    @Test("Each is its owner's only from its first moment, whatever the process' mask lets through")
    func fresh() async throws {
        try await TemporaryStore.withFolder { folder in
            try await TemporaryStore.open(StoreSettings(path: folder + "/baton.db")) { store in
                let people = People()
                try await people.register(in: store)
                _ = await store.perform(people.message("a", to: people.bob))
                _ = try await store.sweep()
                StorePeers(store: store.settings.path, clock: SystemTime()).look()
                let modes = try modes(in: folder)
                #expect(modes.count == StoreFiles.suffixes.count)
                #expect(modes.values.allSatisfy { $0 == 0o600 }, "\(modes)")
            }
        }
    }

    @Test("Those that others could read are tightened before anything is read from them, and the log says so")
    func exposed() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try await TemporaryStore.open(settings) { _ in }
            for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
                try FileManager.default.setAttributes([.posixPermissions: 0o664], ofItemAtPath: "\(folder)/\(name)")
            }
            let exposed = try modes(in: folder).count
            let warnings = RecordedLog(logLevel: .warning)
            let store = try SQLiteStore.open(
                settings, clock: SystemTime(), logger: Logger(label: "test") { _ in warnings })
            #expect(try modes(in: folder).values.allSatisfy { $0 == 0o600 })
            #expect(warnings.lines.count { $0.contains("others could read a file of the store") } == exposed)
            await store.close()
            // Once is enough.
            let again = try SQLiteStore.open(
                settings, clock: SystemTime(), logger: Logger(label: "test") { _ in warnings })
            #expect(warnings.lines.count == exposed)
            await again.close()
        }
    }

    @Test("A second store of the process, which tightens too, leaves the first one's locks alone")
    func twice() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            try await TemporaryStore.open(settings) { one in
                let people = People()
                try await people.register(in: one)
                try await TemporaryStore.open(settings) { other in
                    async let first = people.exchange(100, through: one, prefix: "one")
                    async let second = people.exchange(100, through: other, prefix: "other")
                    let sequences = try await first + second
                    #expect(sequences.sorted() == Array(1...200))
                }
            }
        }
    }
}

private struct SystemTime: CivilClock {
    var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }
}
