import BatonCore

/// The number of a node's start: the greater one is the later.
enum Incarnation {
    /// The time of the start, but above that of the lease which somebody holds under the node's name: with a clock that is
    /// behind the node would be refused its own lease for as long as that lives.
    static func next(at now: Timestamp, held: UInt64?) -> UInt64 {
        let fresh = UInt64(clamping: now.milliseconds)
        guard let held, held >= fresh else { return fresh }
        return held == .max ? held : held + 1
    }
}
