/// What a schedule takes at most. One that takes more has failed: something in it has no end.
package enum SimulationBounds {
    /// Tasks of event loops, those of the world around the nodes included. The longest of thousands took some 10,000.
    package static let steps = 1_000_000
    /// Seconds that a schedule may take outside, for what makes no steps: a loop in the relay's code, or a lock that is
    /// waited for in vain.
    package static let seconds = 60
    /// Virtual seconds within which everything has arrived after the last fault: more than a session's TTL and the longest
    /// backstop.
    static let settleSeconds: Int64 = 120
    /// Virtual seconds within which a displaced connection is gone when nothing is broken any more, though nobody hears
    /// at its node that it was displaced: the time between two renewals of its session, and some more. It is less than
    /// what a silent connection lives for.
    static let displacementSeconds: Int64 = 22
    /// Between two looks at whether it has.
    static let lookMilliseconds: Int64 = 100
    /// Steps in which a schedule is put away when it is over.
    static let lastSteps = 100_000
}
