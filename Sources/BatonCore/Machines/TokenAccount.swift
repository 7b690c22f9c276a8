/// One event loop's tokens for one user and one limit.
///
/// All nodes share one bucket. The account takes a share of it in advance, so that no message waits for the bucket.
/// While it waits for the bucket's answer, it allows a little credit.
///
/// Unspent tokens are not given back. The next draw charges what was spent on credit, which may take the bucket below
/// zero: a user that uses the credit of many event loops then waits longer.
public struct TokenAccount: Hashable, Sendable {
    /// What to ask the shared bucket for.
    public struct Draw: Hashable, Sendable {
        /// Tokens already spent. The bucket charges them even if it holds less. Negative: tokens to give back.
        public let spent: Int
        /// Tokens to take after that, or as many as the bucket holds.
        public let wanted: Int
        /// If the bucket holds fewer than this, it gives none.
        public let least: Int

        public init(spent: Int, wanted: Int, least: Int) {
            self.spent = spent
            self.wanted = wanted
            self.least = least
        }

        /// Takes no tokens, and gives back tokens that were taken for something that does not count after all.
        public static func givingBack(_ tokens: Int) -> Draw {
            Draw(spent: -max(0, tokens), wanted: 0, least: 0)
        }
    }

    private let share: Int
    private let least: Int
    private let low: Int
    private let credit: Int
    /// Tokens taken and not yet spent. Negative: tokens spent on credit.
    private(set) var balance = 0
    /// Tokens of `balance` kept for messages that may turn out to need one.
    private var reserved = 0
    /// Tokens charged by the draw that waits for its answer; nil while none waits.
    private var charged: Int?
    /// The bucket holds nothing before this time.
    private var emptyUntil: Int64?

    /// - Parameters:
    ///   - share: tokens that one draw takes.
    ///   - least: a draw takes at least this many or none, so that a nearly empty bucket is not asked for each token.
    ///   - low: the account draws again when its balance is below this.
    ///   - credit: tokens that may be spent before the bucket answers. At least as many as one message spends.
    init(share: Int, least: Int, low: Int, credit: Int) {
        self.share = share
        self.least = least
        self.low = low
        self.credit = credit
    }

    /// True if the account may be deleted: it owes no tokens, waits for nothing and knows of no empty bucket.
    func isSettled(at now: Int64) -> Bool {
        balance >= 0 && reserved == 0 && charged == nil && emptyUntil.map { $0 <= now } ?? true
    }

    /// Milliseconds until this many tokens may be available; nil if they are available now, also on credit.
    func wait(for tokens: Int, at now: Int64) -> Int64? {
        if balance - reserved >= tokens { return nil }
        if let emptyUntil, emptyUntil > now { return emptyUntil - now }
        return balance - reserved - tokens >= -credit ? nil : Limits.Sending.answerMilliseconds
    }

    mutating func spend(_ tokens: Int) { balance -= tokens }

    /// Keeps a token for a message that may turn out to need one.
    mutating func reserve() { reserved += 1 }

    mutating func release(spending isSpent: Bool) {
        reserved -= 1
        if isSpent { spend(1) }
    }

    /// True if it is time to draw from the bucket.
    var isLow: Bool { balance < low }

    /// What to ask the bucket for now, if anything. No further draw is due until `drew` brings the answer.
    mutating func drawDue(at now: Int64) -> Draw? {
        guard isLow, charged == nil, emptyUntil.map({ $0 <= now }) ?? true else { return nil }
        let spent = max(0, -balance)
        charged = spent
        return Draw(spent: spent, wanted: share, least: least)
    }

    /// The bucket's answer to a draw.
    ///
    /// - Parameter waitMilliseconds: used if nothing was granted: the time until the bucket holds `least` tokens.
    mutating func drew(_ granted: Int, waitMilliseconds: Int64, at now: Int64) {
        balance += granted + (charged ?? 0)
        charged = nil
        emptyUntil = granted > 0 ? nil : now + waitMilliseconds
    }
}
