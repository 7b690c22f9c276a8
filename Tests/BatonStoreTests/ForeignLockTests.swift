import BatonCore
import BatonTestKit
import Foundation
import Synchronization
import Testing

@testable import BatonStore

@Suite("A store that another process holds", .timeLimit(.minutes(1)))
struct ForeignLockTests {
    private static let patience = Duration.milliseconds(600)

    private func user(_ number: UInt64) -> NewUser {
        NewUser(
            id: UserID(rawValue: 1_000 + number), handle: "user\(number)", displayName: "User", passwordHash: "x",
            phone: nil, email: nil, createdAt: Timestamp(milliseconds: 1))
    }

    @Test("Whatever is to be written is refused at one time after it came, and nothing of it was done")
    func writing() async throws {
        try await TemporaryStore.with {
            $0.patience = Self.patience
        } _: { store in
            let people = People()
            try await people.register(in: store)
            let foreign = try ForeignProgram(.writing, path: store.settings.path)
            let clock = ContinuousClock()
            let start = clock.now
            // One after the other, so that each comes while an earlier one waits for the lock.
            try await withThrowingTaskGroup { tasks in
                for number in 0..<6 {
                    tasks.addTask {
                        let came = start + Self.patience / 6 * number
                        try await clock.sleep(until: came)
                        if number.isMultiple(of: 2) {
                            let outcome = await store.perform(people.message("m\(number)", to: people.bob))
                            guard case .failed(.unavailable) = outcome else {
                                Issue.record("\(outcome)")
                                return
                            }
                        } else {
                            await #expect(throws: AccountError.self) {
                                try await store.createUser(user(UInt64(number)))
                            }
                        }
                        let waited = clock.now - came
                        #expect(waited >= Self.patience * 0.9 && waited < Self.patience * 1.8, "\(number): \(waited)")
                    }
                }
                try await tasks.waitForAll()
            }
            await foreign.end()
            // The same again, as a client does it.
            guard case .sent(let message) = await store.perform(people.message("m0", to: people.bob)) else {
                Issue.record("the lock is gone")
                return
            }
            #expect(!message.isRepeat && message.id.sequence.rawValue == 1)
            _ = try await store.createUser(user(1))
        }
    }

    @Test("A process that was stopped while it wrote keeps the others waiting no longer than that either")
    func stopped() async throws {
        try await TemporaryStore.with {
            $0.patience = Self.patience
        } _: { store in
            let people = People()
            try await people.register(in: store)
            // What a stopped node holds.
            let lock = try FileLock(path: store.settings.path + "-lock")
            lock.lock()
            let outcomes = await store.perform([
                people.message("a", to: people.bob), people.message("b", to: people.bob),
            ])
            #expect(outcomes.allSatisfy { if case .failed(.unavailable) = $0 { true } else { false } })
            lock.unlock()
            guard case .sent(let message) = await store.perform(people.message("b", to: people.bob)) else {
                Issue.record("the lock is gone")
                return
            }
            #expect(message.id.sequence.rawValue == 1)
        }
    }

    @Test("A store that is closed while another process holds it ends, and answers what waits")
    func closing() async throws {
        try await TemporaryStore.withFolder { folder in
            var settings = StoreSettings(path: folder + "/baton.db")
            settings.patience = Self.patience
            let people = People()
            try await TemporaryStore.open(settings) { try await people.register(in: $0) }
            let store = try SQLiteStore.open(settings, clock: MutableClock(), logger: TemporaryStore.quiet)
            let foreign = try ForeignProgram(.writing, path: settings.path)
            async let outcome = store.perform(people.message("a", to: people.bob))
            await store.close()
            if case .sent = await outcome { Issue.record("nothing could be written") }
            await foreign.end()
        }
    }
}
