#if DEBUG
    import BatonCore
    import BatonSimulation
    import Testing

    /// The simulation is worth what it finds: each bug that can be planted here is found within some seeds, by its name.
    @Suite("Planted bugs in a simulation")
    struct PlantedBugTests {
        private static let seeds: UInt64 = 500

        @Test(
            "A planted bug is found, by the invariant named for it",
            arguments: [
                (PlantedBug.ackBeforeCommit, ["lost", "ref_split", "diverged"]),
                (.publishBeforeCommit, ["diverged", "never_sent", "lost", "ref_split", "duplicated", "protocol"]),
                (.forgetIdempotence, ["ref_split"]),
                (.advanceCursorOnSend, ["lost", "hole", "resynced", "protocol", "not_settled"]),
                (.deleteOthersSession, ["session_deleted"]),
                (.dropHintAndSweep, ["not_settled", "lost"]),
                (.overwriteNewerSession, ["session_went_back"]),
                (.repeatAsNewAfterPause, ["ref_split"]),
                (.keepDisplaced, ["not_displaced"]),
                (.showTypingToStrangers, ["typing_leaked"]),
            ])
        func found(bug: PlantedBug, names: [String]) {
            for seed in 1...Self.seeds {
                let outcome = Simulation.run(seed: seed, plantedBug: bug)
                if outcome.failures.contains(where: { names.contains($0.name) }) { return }
            }
            Issue.record("\(bug) was not found by any of \(Self.seeds) seeds")
        }
    }
#endif
