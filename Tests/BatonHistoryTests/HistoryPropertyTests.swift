import BatonCore
import BatonHistory
import Testing

@Suite("Random runs")
struct HistoryPropertyTests {
    private static let seeds: UInt64 = 24

    @Test("A run in which nothing goes wrong is sound, whatever happens in it")
    func sound() {
        for seed in 1...Self.seeds {
            let run = ModelRun.histories(seed: seed)
            let verdict = HistoryChecker.check(run.devices, cluster: run.cluster)
            #expect(verdict.isSound, "seed \(seed)\n\(verdict.text)")
            #expect(verdict.outcome == .pass)
        }
    }

    @Test("One thing that goes wrong anywhere is caught by its invariant", arguments: HistoryMutation.allCases)
    func caught(mutation: HistoryMutation) {
        var applied = 0
        for seed in 1...Self.seeds {
            var generator = SeededGenerator(seed: seed).fork(7)
            let run = ModelRun.histories(seed: seed)
            guard let broken = mutation.applied(to: run, using: &generator) else { continue }
            applied += 1
            let verdict = HistoryChecker.check(broken.devices, cluster: broken.cluster)
            #expect(verdict.count(mutation.invariant) > 0, "\(mutation), seed \(seed)\n\(verdict.text)")
            #expect(verdict.examples[mutation.invariant]?.evidence.isEmpty == false)
        }
        #expect(applied >= Self.seeds / 4)
    }

    /// The invariants that a mutation of a seed's run breaks; nil where that run has no place for it.
    private func broken(by mutation: HistoryMutation, seed: UInt64) -> Set<Invariant>? {
        var generator = SeededGenerator(seed: seed).fork(7)
        guard let run = mutation.applied(to: ModelRun.histories(seed: seed), using: &generator) else { return nil }
        return Set(HistoryChecker.check(run.devices, cluster: run.cluster).counts.keys)
    }

    @Test("Each invariant has something that breaks it, and nothing else", arguments: Invariant.allCases)
    func exact(invariant: Invariant) {
        let mutations = HistoryMutation.allCases.filter { $0.invariant == invariant }
        #expect(!mutations.isEmpty, "no mutation breaks \(invariant.rawValue): add one")
        let isExact = mutations.contains { mutation in
            (1...Self.seeds).contains { broken(by: mutation, seed: $0) == [invariant] }
        }
        #expect(isExact, "\(mutations) break others as well: find one that does not")
    }
}
