/// Where randomness comes from: the system, or in a simulation a seed, so that the same choices are made again.
///
/// Not for secrets: who makes tokens and keys asks the system itself.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private let word: (@Sendable () -> UInt64)?

    /// The system's own.
    public static let system = RandomSource(word: nil)

    /// - Parameter word: gives the next random number; called by whoever needs one.
    public init(_ word: @escaping @Sendable () -> UInt64) {
        self.init(word: word)
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
