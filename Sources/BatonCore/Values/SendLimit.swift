/// What one user may do only so much of.
public enum SendLimit: String, Hashable, Sendable, CaseIterable {
    case messages
    /// Of messages, as they are stored.
    case bytes
    /// New ones.
    case conversations
    /// Messages into conversations in which nobody else has written.
    case strangers
}

/// What makes a message cost its sender more than another one. Only the store knows it.
public struct SendNovelty: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// It makes its conversation.
    public static let conversation = SendNovelty(rawValue: 1)
    /// Nobody else has written in its conversation.
    public static let stranger = SendNovelty(rawValue: 2)
    public static let all: SendNovelty = [.conversation, .stranger]

    /// The limit that a message of this kind counts for.
    static let limits: [(novelty: SendNovelty, limit: SendLimit)] = [
        (.conversation, .conversations), (.stranger, .strangers),
    ]

    /// The limit that forbids such a message where these are to be refused.
    public func limit(refusing refused: SendNovelty) -> SendLimit? {
        Self.limits.first { contains($0.novelty) && refused.contains($0.novelty) }?.limit
    }
}

/// How much one user may send: so much at once, and then as much again in each period.
public struct SendLimits: Hashable, Sendable {
    public var messagesPerMinute = Limits.Sending.messagesPerMinute
    public var bytesPerMinute = Limits.Sending.bytesPerMinute
    public var conversationsPerHour = Limits.Sending.conversationsPerHour
    public var strangerMessagesPerHour = Limits.Sending.strangerMessagesPerHour

    public init() {}

    /// The bucket that all nodes share.
    public func bucket(_ limit: SendLimit, of user: UserID) -> RateLimitBucket {
        let (count, seconds) = rate(limit)
        return RateLimitBucket(
            who: user.description, what: limit.rawValue, capacity: count, secondsPerToken: seconds / Double(count))
    }

    /// In words, for who met it.
    public func text(_ limit: SendLimit) -> String {
        let count = rate(limit).count
        return switch limit {
        case .messages: "\(count) messages a minute"
        case .bytes: "\(count) bytes of messages a minute"
        case .conversations: "\(count) new conversations an hour"
        case .strangers: "\(count) messages an hour to users who never wrote back"
        }
    }

    /// - Parameter loops: event loops of the node, each of which has such an account.
    func account(_ limit: SendLimit, loops: Int) -> TokenAccount {
        let capacity = rate(limit).count
        let credit = capacity / Limits.Sending.credits / min(max(1, loops), Limits.Sending.creditedLoops)
        switch limit {
        case .messages, .bytes:
            let share = max(1, capacity / Limits.Sending.shares)
            // Whatever its size, one message must always be possible.
            let least = limit == .bytes ? Limits.Frame.messageBytes : 1
            return TokenAccount(share: share, least: max(1, share / 2), low: share / 2, credit: max(least, credit))
        case .conversations, .strangers:
            // Most users need none of these: what is asked for is what was spent.
            let share = max(1, capacity / Limits.Sending.rareShares)
            return TokenAccount(share: share, least: 1, low: 0, credit: max(1, credit))
        }
    }

    private func rate(_ limit: SendLimit) -> (count: Int, seconds: Double) {
        switch limit {
        case .messages: (max(1, messagesPerMinute), 60)
        case .bytes: (max(1, bytesPerMinute), 60)
        case .conversations: (max(1, conversationsPerHour), 3_600)
        case .strangers: (max(1, strangerMessagesPerHour), 3_600)
        }
    }
}
