/// How much one user may still send through one event loop.
///
/// Messages and bytes are spent before a message goes to the store. Only the store knows whether the message makes a
/// conversation or goes to a stranger, so a token is kept for each of both until the store answers. If no token is
/// left for one of them, the store is told to refuse the message if it is of that kind.
public struct SendBudget: Hashable, Sendable {
    /// What to do with a message.
    public enum Verdict: Hashable, Sendable {
        /// Pass it to the store, which must refuse it if it is of one of these kinds.
        case submit(refusing: SendNovelty)
        /// Refuse it.
        case wait(SendLimit, milliseconds: Int64)
    }

    private var messages: TokenAccount
    private var bytes: TokenAccount
    private var conversations: TokenAccount
    private var strangers: TokenAccount

    /// - Parameter loops: event loops of the node, each of which has such a budget.
    public init(_ limits: SendLimits, loops: Int) {
        messages = limits.account(.messages, loops: loops)
        bytes = limits.account(.bytes, loops: loops)
        conversations = limits.account(.conversations, loops: loops)
        strangers = limits.account(.strangers, loops: loops)
    }

    /// A message of so many bytes is to be sent.
    ///
    /// - Parameter now: monotonic milliseconds, here and in what follows.
    public mutating func received(bytes size: Int, at now: Int64) -> Verdict {
        if let wait = messages.wait(for: 1, at: now) { return .wait(.messages, milliseconds: wait) }
        if let wait = bytes.wait(for: size, at: now) { return .wait(.bytes, milliseconds: wait) }
        messages.spend(1)
        bytes.spend(size)
        var refused: SendNovelty = []
        for (novelty, limit) in SendNovelty.limits {
            if self[limit].wait(for: 1, at: now) == nil { self[limit].reserve() } else { refused.insert(novelty) }
        }
        return .submit(refusing: refused)
    }

    /// The store is done with such a message.
    ///
    /// - Parameter novelty: what it was; nothing where it was not stored, or had been before.
    public mutating func ended(refusing refused: SendNovelty, novelty: SendNovelty) {
        for (kind, limit) in SendNovelty.limits where !refused.contains(kind) {
            self[limit].release(spending: novelty.contains(kind))
        }
    }

    /// How long to wait for one that the store refused.
    public func wait(for limit: SendLimit, at now: Int64) -> Int64 {
        self[limit].wait(for: 1, at: now) ?? Limits.Sending.answerMilliseconds
    }

    /// Whether there may be something to ask the shared buckets for.
    public var isLow: Bool { messages.isLow || bytes.isLow || conversations.isLow || strangers.isLow }

    /// What to ask them for now. The answers are awaited from then on.
    public mutating func drawsDue(at now: Int64) -> [(limit: SendLimit, draw: TokenAccount.Draw)] {
        var draws: [(SendLimit, TokenAccount.Draw)] = []
        for limit in SendLimit.allCases {
            if let draw = self[limit].drawDue(at: now) { draws.append((limit, draw)) }
        }
        return draws
    }

    public mutating func drew(_ granted: Int, of limit: SendLimit, waitMilliseconds: Int64, at now: Int64) {
        self[limit].drew(granted, waitMilliseconds: waitMilliseconds, at: now)
    }

    /// Whether it may be forgotten when its user goes.
    public func isSettled(at now: Int64) -> Bool { SendLimit.allCases.allSatisfy { self[$0].isSettled(at: now) } }

    private subscript(limit: SendLimit) -> TokenAccount {
        get {
            switch limit {
            case .messages: messages
            case .bytes: bytes
            case .conversations: conversations
            case .strangers: strangers
            }
        }
        set {
            switch limit {
            case .messages: messages = newValue
            case .bytes: bytes = newValue
            case .conversations: conversations = newValue
            case .strangers: strangers = newValue
            }
        }
    }
}
