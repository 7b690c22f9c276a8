import BatonCore

/// A client's random choices: the system's, or those of a seed.
struct ClientGenerator: RandomNumberGenerator {
    /// nil: the system's.
    private var seeded: SeededGenerator?

    init(seed: UInt64? = nil) { seeded = seed.map { SeededGenerator(seed: $0) } }

    mutating func next() -> UInt64 {
        if let number = seeded?.next() { return number }
        var system = SystemRandomNumberGenerator()
        return system.next()
    }
}
