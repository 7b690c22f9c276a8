/// What came of one schedule.
package struct SimulationOutcome: Sendable {
    package let seed: UInt64
    package let failures: [SimulationFailure]
    /// What the seed made of the cluster, for people.
    package let shape: String
    package let virtualMilliseconds: Int64
    /// Messages that were accepted, and that devices applied.
    package let accepted: Int
    package let applied: Int
    /// Where it was asked for.
    package let trace: String?

    package var isSound: Bool { failures.isEmpty }
}

/// Something that must not be.
package struct SimulationFailure: Hashable, Sendable {
    /// An invariant of the history checker, or one of the simulation's own: `not_settled`, `not_registered` ...
    package let name: String
    package let what: String
}
