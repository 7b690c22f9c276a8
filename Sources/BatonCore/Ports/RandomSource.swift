import Synchronization

/// Where randomness comes from: the system, or in a simulation a seed, so that the same choices are made again.
///
/// Not for secrets: who makes tokens and keys asks the system itself.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private let word: (@Sendable () -> UInt64)?

    /// The system's own.
    public static let system = RandomSource(word: nil)

    /// Always the same numbers for one seed. Copies draw from one sequence.
    package init(seed: UInt64) { self.init(SeededGenerator(seed: seed)) }

    /// Draws from a generator of a seed. Copies draw from one sequence.
    package init(_ generator: SeededGenerator) {
        let shared = SharedGenerator(generator)
        self.init(word: { shared.next() })
    }

    private init(word: (@Sendable () -> UInt64)?) {
        self.word = word
    }

    public mutating func next() -> UInt64 {
        if let word { return word() }
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}

private final class SharedGenerator: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(_ generator: SeededGenerator) { self.generator = Mutex(generator) }

    func next() -> UInt64 { generator.withLock { $0.next() } }
}
