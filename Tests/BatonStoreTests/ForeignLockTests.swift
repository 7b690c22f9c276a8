import BatonCore
import BatonTestKit
import Foundation
import Synchronization
import Testing

@testable import BatonStore

@Suite("A store that another process holds", .timeLimit(.minutes(1)))
struct ForeignLockTests {
    private static let patience = Duration.seconds(1)

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
            let answers = AsyncStream.makeStream(of: (number: Int, waited: Duration, isRefused: Bool).self)
            for number in 0..<6 {
                // So that each comes while an earlier one waits for the lock.
                try await clock.sleep(for: Self.patience / 20)
                let came = clock.now
                // Timed on the store's thread: tasks may be late on a busy machine.
                let message = people.message("m\(number)", to: people.bob)
                if number.isMultiple(of: 2) {
                    store.submit([message]) { outcomes in
                        let isRefused = if case .failed(let error) = outcomes[0] { error.isUnavailable } else { false }
                        answers.continuation.yield((number, clock.now - came, isRefused))
                    }
                } else {
                    let job = WriteJob(
                        run: { _ in { answers.continuation.yield((number, clock.now - came, false)) } },
                        fail: { answers.continuation.yield((number, clock.now - came, $0.isUnavailable)) })
                    try store.writes.put(.job(job))
                }
            }
            var count = 0
            for await answer in answers.stream {
                #expect(answer.isRefused, "\(answer)")
                #expect(answer.waited >= Self.patience && answer.waited < Self.patience * 1.6, "\(answer)")
                count += 1
                if count == 6 { break }
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

extension StoreError {
    fileprivate var isUnavailable: Bool {
        if case .unavailable = self { true } else { false }
    }
}
