import BatonCore
import BatonTestKit
import Foundation
import Logging

@testable import BatonStore

/// Stores in a folder of their own, which goes with them.
enum TemporaryStore {
    static func with<Value>(
        _ change: (inout StoreSettings) -> Void = { _ in }, _ body: (SQLiteStore) async throws -> Value
    ) async throws -> Value {
        try await withFolder { folder in
            var settings = StoreSettings(path: folder + "/baton.db")
            change(&settings)
            return try await open(settings, body)
        }
    }

    /// Opens, and closes whatever happens.
    static func open<Value>(
        _ settings: StoreSettings, clock: any CivilClock = MutableClock(),
        observer: any StoreObserver = SilentStoreObserver(), _ body: (SQLiteStore) async throws -> Value
    ) async throws -> Value {
        let store = try SQLiteStore.open(settings, clock: clock, logger: quiet, observer: observer)
        do {
            let value = try await body(store)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    static func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("baton-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path)
    }

    /// Tests provoke errors: the log would only hide what matters.
    static let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}

extension SQLiteStore {
    var fixture: StoreFixture {
        StoreFixture(accounts: self, conversations: self, messages: self) {
            guard let clock = self.clock as? MutableClock else {
                throw StoreError.unavailable("its clock is not moved")
            }
            clock.advance(by: .seconds(Int64(Limits.Store.idleDeviceDays) * 86_400 + 1))
            try await self.sweep()
        }
    }
}
