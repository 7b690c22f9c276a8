#if DEBUG
    import BatonCore
    import BatonChaos
    import BatonHistory
    import Foundation
    import Testing

    /// Who judges the relay is judged here: each bug that a debug build can be told to have is found, by the invariant named
    /// for it, and nothing is found where there is none.
    @Suite("Planted bugs", .alone, .serialized)
    struct PlantedBugTests {
        /// A bug, what it breaks, and what brings it to light within seconds.
        struct Case: Sendable, CustomTestStringConvertible {
            let bug: PlantedBug?
            let invariant: Invariant?
            var faults: Set<FaultKind> = []
            var failpoints = ""
            var seconds = 3.0
            var healSeconds = 1.0
            var behaviour: @Sendable (inout ChaosBehaviour) -> Void = { _ in }

            var testDescription: String {
                "\(bug?.rawValue ?? "no bug"): \(invariant?.rawValue ?? "nothing")"
            }
        }

        static let seeds: ClosedRange<UInt64> = 7...9

        static let cases: [Case] = [
            // Nodes die between the answer and the commit.
            Case(bug: .ackBeforeCommit, invariant: .lost, faults: [.node], seconds: 4),
            Case(bug: .publishBeforeCommit, invariant: .duplicated, faults: [.node], seconds: 4),
            // A sender whose answer was lost asks at another node.
            Case(bug: .forgetIdempotence, invariant: .refSplit) { $0.resend = 0.1 },
            // A node dies in the midst of a page, of which it has said that all of it was read.
            Case(bug: .advanceCursorOnSend, invariant: .resynced, failpoints: "drain=pause:100@5,drain=kill@5") {
                $0.reconnect = 0.1
            },
            Case(bug: .dropHintAndSweep, invariant: .lost),
            Case(bug: .inventReceipts, invariant: .receiptUntruthful),
            Case(bug: .sequenceOutsideLock, invariant: .diverged),
            // The end of a connection that was displaced takes the session of the one that displaced it.
            Case(bug: .deleteOthersSession, invariant: .presenceWrong, seconds: 12) { $0.second = 0.1 },
            // Senders leave a node that hangs, and send again elsewhere what lies in its sockets.
            Case(bug: .repeatAsNewAfterPause, invariant: .refSplit, faults: [.pause], seconds: 14, healSeconds: 30) {
                $0.resend = 0.1
            },
            // The client's own connection is displaced by a second one, mostly on the other node.
            Case(bug: .keepDisplaced, invariant: .twoConnections, seconds: 26) { $0.second = 0.02 },
            Case(bug: .showTypingToStrangers, invariant: .typingLeaked) { $0.typing = 0.2 },
        ]

        /// What devices cannot see: a session in Redis that is not their newest one, until it is renewed. The simulation,
        /// whose Redis tells what is written over what, finds them.
        static let onlySimulated: Set<PlantedBug> = [.overwriteNewerSession]

        @Test("Each is found by the invariant named for it", arguments: cases)
        func found(planted: Case) async throws {
            let invariant = try #require(planted.invariant)
            var verdicts: [HistoryVerdict] = []
            // Whether a kill meets the moment that counts is chance, in some ten moments a run.
            for seed in Self.seeds where !verdicts.contains(where: { $0.count(invariant) > 0 }) {
                verdicts.append(try await Self.run(planted, seed: seed))
            }
            #expect(verdicts.contains { $0.count(invariant) > 0 }, "\(verdicts.map(\.text))")
        }

        @Test("Every bug has its test")
        func complete() {
            #expect(Set(Self.cases.compactMap(\.bug)).union(Self.onlySimulated) == Set(PlantedBug.allCases))
            #expect(Self.onlySimulated.isDisjoint(with: Self.cases.compactMap(\.bug)))
        }

        @Test("Without a bug the same breaks nothing")
        func sound() async throws {
            let verdict = try await Self.run(
                Case(bug: nil, invariant: nil, faults: [.node], healSeconds: 45) {
                    $0.resend = 0.1
                    $0.reconnect = 0.1
                    $0.second = 0.02
                }, seed: Self.seeds.lowerBound)
            #expect(verdict.isSound && verdict.accepted > 100, "\(verdict.text)")
        }

        /// A short run of chaos, judged with bounds that are as short.
        private static func run(_ planted: Case, seed: UInt64) async throws -> HistoryVerdict {
            let directory = NSTemporaryDirectory() + "baton-planted-\(UUID().uuidString.prefix(8))"
            defer { try? FileManager.default.removeItem(atPath: directory) }
            var settings = ChaosSettings(
                seed: seed, executable: try TestCluster.executable("baton"), directory: directory)
            settings.nodes = 2
            settings.users = 6
            settings.rate = 120
            settings.seconds = planted.seconds
            settings.killEvery = 1
            settings.faults = FaultSelection(kinds: planted.faults, named: planted.faults)
            settings.behaviour = ChaosBehaviour()
            planted.behaviour(&settings.behaviour)
            settings.healSeconds = planted.healSeconds
            // What the cluster uses is compared only where nothing else is to be found.
            if planted.bug != nil { settings.quietSeconds = 0 }
            settings.environment["BATON_PLANTED_BUG"] = planted.bug?.rawValue
            // A node's own messages pass failpoints too, before any device's does.
            if planted.bug != nil { settings.environment["BATON_CANARY_ENABLED"] = "false" }
            if !planted.failpoints.isEmpty { settings.environment["BATON_FAILPOINTS"] = planted.failpoints }
            _ = try await ChaosRun(settings, console: ChaosConsole(isQuiet: true)).run()

            let files = try FileManager.default.contentsOfDirectory(atPath: settings.historyDirectory)
            let histories = try RunHistories(
                paths: files.filter { $0.hasSuffix(".jsonl") }.map { "\(settings.historyDirectory)/\($0)" })
            var bounds = HistoryBounds()
            if planted.bug != nil { bounds.presenceAfterStart = 4_000_000_000 }
            return HistoryChecker.check(histories.devices, cluster: histories.cluster, bounds: bounds)
        }
    }
#endif
