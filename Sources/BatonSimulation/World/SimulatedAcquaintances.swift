import BatonCore
import BatonTestKit

/// Who knows whom, as the store of accounts and conversations would say: those who have written to each other, unless one
/// has blocked the other.
final class SimulatedAcquaintances {
    private let messages: InMemoryMessageStore
    private var strangers: Set<ConversationID> = []
    private var blocked: Set<ConversationID> = []

    init(_ messages: InMemoryMessageStore) { self.messages = messages }

    /// They do not write to each other.
    func separate(_ user: UserID, _ other: UserID) {
        if let pair = ConversationID(between: user, and: other) { strangers.insert(pair) }
    }

    /// - Returns: false where one has blocked the other before.
    func block(_ other: UserID, by user: UserID) -> Bool {
        guard let pair = ConversationID(between: user, and: other), blocked.insert(pair).inserted else { return false }
        messages.setBlock(of: other, by: user, isBlocked: true)
        return true
    }

    func mayWrite(_ user: UserID, _ other: UserID) -> Bool {
        ConversationID(between: user, and: other).map { !strangers.contains($0) } ?? false
    }

    func know(_ user: UserID, _ other: UserID) -> Bool {
        guard let pair = ConversationID(between: user, and: other), !blocked.contains(pair) else { return false }
        return messages.writers(in: pair).isSuperset(of: [user, other])
    }
}

@available(*, unavailable) extension SimulatedAcquaintances: Sendable {}
