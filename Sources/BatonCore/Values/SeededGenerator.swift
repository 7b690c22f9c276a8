/// SplitMix64: the same seed makes the same numbers, in every process and on every machine. For runs that can be made
/// again; never for secrets. Source: <https://prng.di.unimi.it/splitmix64.c>.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A generator of its own for one part of a run, so that parts that run at the same time do not share one.
    package func fork(_ part: UInt64) -> SeededGenerator {
        var fork = SeededGenerator(seed: state ^ (part &* 0xd6e8_feb8_6659_fd93))
        _ = fork.next()
        return fork
    }
}
