/// What came of one schedule.
package struct SimulationOutcome: Sendable {
    package let seed: UInt64
    package let failures: [SimulationFailure]
    /// What the seed made of the cluster, for people.
    package let shape: String
    package let virtualMilliseconds: Int64
    /// Tasks of event loops that it took.
    package let steps: Int
    /// Messages that were accepted, and that devices applied.
    package let accepted: Int
    package let applied: Int
    /// Where it was asked for.
    package let trace: String?

    package var isSound: Bool { failures.isEmpty }
}

extension SimulationOutcome {
    /// One that did not end within its bound; the trace is what there is of it.
    init(hung seed: UInt64, after bound: Duration, trace: String?) {
        self.init(
            seed: seed, failures: [SimulationFailure(name: "hung", what: "it did not end within \(bound)")],
            shape: "which never ended", virtualMilliseconds: 0, steps: 0, accepted: 0, applied: 0, trace: trace)
    }
}

/// Something that must not be.
package struct SimulationFailure: Hashable, Sendable {
    /// An invariant of the history checker, or one of the simulation's own: `not_settled`, `not_registered`, `endless` ...
    package let name: String
    package let what: String
}
