/// A rate limit of one process: so many at once, so many a second.
public struct TokenBucket: Hashable, Sendable {
    private let capacity: Double
    private let perSecond: Double
    private var tokens: Double
    private var filledAtMilliseconds: Int64?

    /// - Parameters:
    ///   - capacity: taken at once at most.
    ///   - perSecond: come back a second.
    public init(capacity: Int, perSecond: Double) {
        self.capacity = Double(capacity)
        self.perSecond = perSecond
        tokens = Double(capacity)
    }

    /// Gives a token back that was taken.
    public mutating func giveBack() { tokens = min(capacity, tokens + 1) }

    /// Takes a token.
    ///
    /// - Parameter now: monotonic milliseconds; a clock that goes back gives nothing.
    /// - Returns: nil where there was one, otherwise the milliseconds until there will be.
    public mutating func take(at now: Int64) -> Int64? {
        if let before = filledAtMilliseconds, now > before {
            tokens = min(capacity, tokens + Double(now - before) / 1_000 * perSecond)
        }
        filledAtMilliseconds = max(filledAtMilliseconds ?? now, now)
        guard tokens < 1 else {
            tokens -= 1
            return nil
        }
        // A bucket that fills hardly ever, or never, has no time that could be told.
        return Int64(exactly: ((1 - tokens) / perSecond * 1_000).rounded(.up)) ?? .max
    }
}
