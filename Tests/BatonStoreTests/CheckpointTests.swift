import BatonCore
import BatonTestKit
import Foundation
import Logging
import Synchronization
import Testing

@testable import BatonStore

@Suite("The log of a store", .timeLimit(.minutes(1)))
struct CheckpointTests {
    /// Passes on what checkpoints were like.
    private final class Checkpoints: StoreObserver {
        let reports = AsyncStream.makeStream(of: CheckpointReport.self)

        func checkpointed(_ report: CheckpointReport) { reports.continuation.yield(report) }

        /// Returns when one is as is asked for.
        func until(_ isSo: (CheckpointReport) -> Bool) async -> CheckpointReport? {
            for await report in reports.stream where isSo(report) { return report }
            return nil
        }
    }

    private func logBytes(_ settings: StoreSettings) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: settings.path + "-wal")
        return (attributes[.size] as? NSNumber)?.intValue ?? 0
    }

    private func settings(_ folder: String) -> StoreSettings {
        var settings = StoreSettings(path: folder + "/baton.db")
        settings.walBytes = 64 * 1024
        settings.shrinkBytes = 1024 * 1024
        return settings
    }

    private func write(_ range: Range<Int>, to store: SQLiteStore, of people: People) async {
        let payload = [UInt8](repeating: 7, count: 32 * 1024)
        for number in range {
            _ = await store.perform(people.message("m\(number)", to: people.bob, payload: payload))
        }
    }

    @Test("It grows while another process reads one state, is told of, and is cut off when that ends, without a write")
    func reader() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = settings(folder)
            let people = People()
            let checkpoints = Checkpoints()
            try await TemporaryStore.open(settings, observer: checkpoints) { store in
                try await people.register(in: store)
                let foreign = try ForeignProgram(.reading, path: settings.path)
                await write(0..<60, to: store, of: people)
                let held = await checkpoints.until { $0.isHeld }
                #expect(held?.isComplete == false)
                #expect(try logBytes(settings) > settings.shrinkBytes)
                await foreign.end()
                #expect(await checkpoints.until { $0.isComplete } != nil)
                #expect(try logBytes(settings) == 0)
                // And goes on.
                await write(60..<62, to: store, of: people)
                #expect(try await store.inbox(of: people.bob).head.rawValue == 62)
            }
        }
    }

    @Test("While a reader stands where it stood, commits wait for no checkpoint")
    func notWaitedFor() async throws {
        try await TemporaryStore.withFolder { folder in
            let people = People()
            let checkpoints = Checkpoints()
            try await TemporaryStore.open(settings(folder), observer: checkpoints) { store in
                try await people.register(in: store)
                let foreign = try ForeignProgram(.reading, path: store.settings.path)
                await write(0..<10, to: store, of: people)
                #expect(await checkpoints.until { !$0.isComplete } != nil)
                await write(10..<20, to: store, of: people)
                let again = await checkpoints.until { _ in true }
                #expect(again?.isComplete == false && again?.blocked == .zero)
                await foreign.end()
            }
        }
    }

    @Test("A log of ordinary size is written over and keeps its file")
    func ordinary() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = settings(folder)
            let people = People()
            let checkpoints = Checkpoints()
            try await TemporaryStore.open(settings, observer: checkpoints) { store in
                try await people.register(in: store)
                await write(0..<8, to: store, of: people)
                #expect(await checkpoints.until { $0.isComplete } != nil)
                #expect(try logBytes(settings) > settings.walBytes)
            }
        }
    }
}
