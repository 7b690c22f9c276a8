import BatonCore
import BatonStore
import BatonTestKit
import Foundation
import Synchronization
import Testing

@Suite("What a store promises when its processes or its disk fail", .timeLimit(.minutes(1)))
struct DurabilityTests {
    @Test("What was accepted is there after the writing process was killed, and nothing is doubled")
    func kill() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            let people = People()
            try await TemporaryStore.open(settings) { try await people.register(in: $0) }

            var accepted: [String: String] = [:]
            for round in 0..<3 {
                let writer = try StoreWriter(path: settings.path, people: people, prefix: "round\(round)")
                // Killed in the middle of its work: it writes for as long as it lives.
                writer.prints(200)
                accepted.merge(writer.killed()) { $1 }
            }

            let progress = Mutex<[StoreOpenProgress]>([])
            let store = try SQLiteStore.open(
                settings, clock: MutableClock(), logger: TemporaryStore.quiet,
                progress: { step in progress.withLock { $0.append(step) } })
            #expect(progress.withLock { $0 }.contains { if case .checkingIntegrity = $0 { true } else { false } })
            let inbox = try await store.everything(of: people.bob)
            #expect(inbox.map(\.sequence.rawValue) == Array(1...UInt64(inbox.count)))
            var stored: [String: String] = [:]
            for event in inbox {
                guard case .message(let message) = event.body else { continue }
                let ref = String(decoding: message.payload, as: UTF8.self)
                #expect(stored[ref] == nil)
                stored[ref] = message.id.sequence.description
            }
            #expect(accepted.count >= 600)
            for (ref, sequence) in accepted { #expect(stored[ref] == sequence) }
            await store.close()
        }
    }

    @Test("Two processes' stores write one file with dense sequences, and neither starves")
    func twoStores() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            let people = People()
            try await TemporaryStore.open(settings) { one in
                try await people.register(in: one)
                try await TemporaryStore.open(settings) { other in
                    async let first = people.exchange(500, through: one, prefix: "one")
                    async let second = people.exchange(500, through: other, prefix: "other")
                    let sequences = try await first + second
                    #expect(sequences.sorted() == Array(1...1_000))
                    // Each of the two got its turn among the other's: neither had to wait for the other's end.
                    let firsts = try await Set(first)
                    let switches = (2...1_000).count { firsts.contains($0) != firsts.contains($0 - 1) }
                    #expect(switches >= 10)
                    for user in [people.alice, people.bob] {
                        let page = try await one.inbox(of: user)
                        #expect(
                            page.events.map(\.sequence)
                                == page.events.indices.map {
                                    InboxSequence(rawValue: page.truncated.rawValue + UInt64($0) + 1)
                                })
                    }
                    // What one wrote the other answers for.
                    let retry = people.message("one-0", to: people.bob)
                    guard case .sent(let message) = await other.perform(retry) else {
                        Issue.record("a retry was not recognised")
                        return
                    }
                    #expect(message.isRepeat)
                }
            }
        }
    }

    @Test("A full database rejects sends with a retryable error, serves reads, and recovers")
    func full() async throws {
        try await TemporaryStore.withFolder { folder in
            var settings = StoreSettings(path: folder + "/baton.db")
            let people = People()
            try await TemporaryStore.open(settings) { store in
                try await people.register(in: store)
                _ = await store.perform(people.message("first", to: people.bob))
            }
            settings.maximumPages = 60
            try await TemporaryStore.open(settings) { store in
                let large = [UInt8](repeating: 1, count: 60_000)
                var outcomes: [StoreOutcome] = []
                for number in 0..<8 {
                    outcomes.append(
                        await store.perform(people.message("large\(number)", to: people.bob, payload: large)))
                }
                #expect(outcomes.last == .failed(.diskFull))
                let count = outcomes.count { if case .sent = $0 { true } else { false } }
                // Reads go on, what failed left no trace, and what is small enough is still taken.
                let page = try await store.inbox(of: people.bob)
                #expect(page.events.count == count + 1)
                #expect(page.head.rawValue == UInt64(count + 1))
                guard case .sent(let small) = await store.perform(people.message("small", to: people.bob)) else {
                    Issue.record("a small message was refused")
                    return
                }
                #expect(small.id.sequence.rawValue == UInt64(count + 2))
            }
            settings.maximumPages = nil
            try await TemporaryStore.open(settings) { store in
                let retry = people.message("large7", to: people.bob, payload: [UInt8](repeating: 1, count: 60_000))
                guard case .sent(let message) = await store.perform(retry) else {
                    Issue.record("there is room again")
                    return
                }
                #expect(!message.isRepeat)
            }
        }
    }

    @Test("A damaged file and a folder that is not there are refused, each clearly")
    func refusals() async throws {
        try await TemporaryStore.withFolder { folder in
            let damaged = StoreSettings(path: folder + "/damaged.db")
            try Data("this is no database, whatever its name says".utf8)
                .write(to: URL(fileURLWithPath: damaged.path))
            #expect { try open(damaged) } throws: { error in
                if case .damaged? = error as? StoreOpenError { true } else { false }
            }
            let nowhere = StoreSettings(path: folder + "/absent/baton.db")
            #expect { try open(nowhere) } throws: { error in
                if case .unusable? = error as? StoreOpenError { true } else { false }
            }
        }
    }

    @Test("Damage is found after an unclean stop")
    func damage() async throws {
        try await TemporaryStore.withFolder { folder in
            let settings = StoreSettings(path: folder + "/baton.db")
            let people = People()
            try await TemporaryStore.open(settings) { store in
                try await people.register(in: store)
                let messages = (0..<200).map { people.message("\($0)", to: people.bob) }
                _ = await store.perform(messages)
            }
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: settings.path))
            let size = try file.seekToEnd()
            for page in stride(from: UInt64(8 * 4096), to: size, by: 4096) {
                try file.seek(toOffset: page)
                try file.write(contentsOf: Data(repeating: 0x5a, count: 512))
            }
            try file.close()
            // As a process leaves it that was killed.
            try Data("1".utf8).write(to: URL(fileURLWithPath: settings.path + "-alive"))
            #expect { try open(settings) } throws: { error in
                if case .damaged(_, let findings)? = error as? StoreOpenError { !findings.isEmpty } else { false }
            }
        }
    }

    private func open(_ settings: StoreSettings) throws {
        _ = try SQLiteStore.open(settings, clock: MutableClock(), logger: TemporaryStore.quiet)
    }
}
