/// One event loop's tokens of one user and one limit. It takes shares of the bucket that all nodes share before it needs
/// them, so that nothing that is limited waits for the bucket; while an answer is awaited, it gives a little credit.
///
/// Tokens that are taken and not spent are not given back. What is spent on credit is charged with the next share, and
/// may leave the bucket with less than nothing: who uses the credit of many event loops waits the longer for it.
public struct TokenAccount: Hashable, Sendable {
    /// What to ask the shared bucket for.
    public struct Draw: Hashable, Sendable {
        /// Spent already, and to be charged whatever the bucket holds; below zero: given back.
        public let spent: Int
        /// Then to be taken, as far as there is.
        public let wanted: Int
        /// Nothing is taken where the bucket holds less.
        public let least: Int

        public init(spent: Int, wanted: Int, least: Int) {
            self.spent = spent
            self.wanted = wanted
            self.least = least
        }

        /// Takes nothing, and gives back what was taken for something that turned out not to count.
        public static func givingBack(_ tokens: Int) -> Draw {
            Draw(spent: -max(0, tokens), wanted: 0, least: 0)
        }
    }

    private let share: Int
    private let least: Int
    private let low: Int
    private let credit: Int
    /// Taken and not spent; below zero: spent on credit.
    private(set) var balance = 0
    /// Of it what may be needed by what is under way.
    private var reserved = 0
    /// What was charged with the question that is not answered.
    private var charged: Int?
    /// The bucket holds nothing before this time.
    private var emptyUntil: Int64?

    /// - Parameters:
    ///   - share: tokens that are taken at once.
    ///   - least: fewer are not taken, so that a bucket that is nearly empty is not asked about each token.
    ///   - low: with fewer it is time to take more.
    ///   - credit: tokens that may be spent before the bucket has answered; at least what is spent at once.
    init(share: Int, least: Int, low: Int, credit: Int) {
        self.share = share
        self.least = least
        self.low = low
        self.credit = credit
    }

    /// Nothing would be forgiven if this account was forgotten.
    func isSettled(at now: Int64) -> Bool {
        balance >= 0 && reserved == 0 && charged == nil && emptyUntil.map { $0 <= now } ?? true
    }

    /// Milliseconds until so many tokens may be there; nil where they are.
    func wait(for tokens: Int, at now: Int64) -> Int64? {
        if balance - reserved >= tokens { return nil }
        if let emptyUntil, emptyUntil > now { return emptyUntil - now }
        return balance - reserved - tokens >= -credit ? nil : Limits.Sending.answerMilliseconds
    }

    mutating func spend(_ tokens: Int) { balance -= tokens }

    /// Keeps a token for something of which it is not known yet whether it needs one.
    mutating func reserve() { reserved += 1 }

    mutating func release(spending isSpent: Bool) {
        reserved -= 1
        if isSpent { spend(1) }
    }

    /// It is time to ask for more.
    var isLow: Bool { balance < low }

    /// What to ask the bucket for now, if anything. The answer is awaited from then on.
    mutating func drawDue(at now: Int64) -> Draw? {
        guard isLow, charged == nil, emptyUntil.map({ $0 <= now }) ?? true else { return nil }
        let spent = max(0, -balance)
        charged = spent
        return Draw(spent: spent, wanted: share, least: least)
    }

    /// The bucket's answer to a draw.
    ///
    /// - Parameter waitMilliseconds: where nothing was granted: until the least that is taken will be there.
    mutating func drew(_ granted: Int, waitMilliseconds: Int64, at now: Int64) {
        balance += granted + (charged ?? 0)
        charged = nil
        emptyUntil = granted > 0 ? nil : now + waitMilliseconds
    }
}
