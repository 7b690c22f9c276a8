/// A client's random choices: the system's, or those of a seed.
struct ClientGenerator: RandomNumberGenerator {
    /// SplitMix64's state; nil: the system's.
    private var state: UInt64?

    init(seed: UInt64? = nil) { state = seed }

    mutating func next() -> UInt64 {
        guard let state else {
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        let next = state &+ 0x9e37_79b9_7f4a_7c15
        self.state = next
        var mixed = next
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
