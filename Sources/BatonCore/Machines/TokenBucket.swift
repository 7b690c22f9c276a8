/// A token bucket: it holds so many tokens at most, and one comes back at a time.
///
/// All token buckets in this code are of this type. Those that all nodes share are kept by Redis, where
/// `take_tokens.lua` does the same; the conformance suite of `SharedBuckets` runs on both.
///
/// Times are milliseconds of one clock. A clock that goes back gives nothing, now and when it is right again.
///
/// Source: <https://en.wikipedia.org/wiki/Token_bucket>.
public struct TokenBucket: Hashable, Sendable {
    private let capacity: Double
    private let millisecondsPerToken: Double
    private let debt: Double
    /// Below zero: owed.
    public private(set) var tokens: Double
    /// When the tokens were counted last; nil before the first time.
    public private(set) var filledAtMilliseconds: Double?

    /// A full bucket of one process, of which no more is taken than it holds.
    ///
    /// - Parameters:
    ///   - capacity: tokens that it holds at most.
    ///   - perSecond: tokens that come back a second; 0: none ever.
    public init(capacity: Int, perSecond: Double) {
        self.init(capacity: Double(capacity), millisecondsPerToken: 1_000 / perSecond, debt: 0)
    }

    /// A full bucket as nodes share it, which may owe up to `Limits.Sending.debts` times what it holds.
    public init(_ bucket: RateLimitBucket) {
        let capacity = Double(max(1, bucket.capacity))
        self.init(
            capacity: capacity, millisecondsPerToken: bucket.millisecondsPerToken,
            debt: capacity * Double(Limits.Sending.debts))
    }

    /// - Parameters:
    ///   - debt: tokens that it may owe at most.
    ///   - state: what it held when; nil for a full one.
    package init(
        capacity: Double, millisecondsPerToken: Double, debt: Double,
        state: (tokens: Double, atMilliseconds: Double)? = nil
    ) {
        self.capacity = capacity
        self.millisecondsPerToken = millisecondsPerToken
        self.debt = debt
        tokens = state?.tokens ?? capacity
        filledAtMilliseconds = state?.atMilliseconds
    }

    public var isFull: Bool { tokens >= capacity }

    /// Counts what has come back.
    public mutating func refill(atMilliseconds now: Double) {
        let passed = max(0, now - (filledAtMilliseconds ?? now))
        tokens = min(capacity, tokens + passed / millisecondsPerToken)
        filledAtMilliseconds = max(filledAtMilliseconds ?? now, now)
    }

    /// Charges what was spent, then takes what is wanted, or as much of it as there is.
    public mutating func draw(_ draw: TokenAccount.Draw, atMilliseconds now: Double) -> TakenTokens {
        refill(atMilliseconds: now)
        tokens = min(capacity, max(-debt, tokens - Double(draw.spent)))
        let least = Double(max(0, draw.least))
        guard tokens >= least else {
            // What rounding has left of a token is none: it would cost a whole millisecond.
            let milliseconds = ((least - tokens) * millisecondsPerToken - 0.000_1).rounded(.up)
            // A bucket that hardly ever gets a token back, or never, has no time that could be told.
            return TakenTokens(count: 0, waitMilliseconds: Int64(exactly: max(1, milliseconds)) ?? .max)
        }
        let taken = min(max(0, draw.wanted), Int(max(0, tokens)))
        tokens -= Double(taken)
        return TakenTokens(count: taken, waitMilliseconds: 0)
    }

    /// Takes one token.
    ///
    /// - Returns: nil where there was one, otherwise the milliseconds until there will be; `Int64.max`: never.
    public mutating func take(at now: Int64) -> Int64? {
        let taken = draw(TokenAccount.Draw(spent: 0, wanted: 1, least: 1), atMilliseconds: Double(now))
        return taken.count == 1 ? nil : taken.waitMilliseconds
    }
}

/// What a bucket gave.
public struct TakenTokens: Hashable, Sendable {
    public let count: Int
    /// Where it gave nothing: until it would.
    public let waitMilliseconds: Int64

    public init(count: Int, waitMilliseconds: Int64) {
        self.count = count
        self.waitMilliseconds = waitMilliseconds
    }
}
