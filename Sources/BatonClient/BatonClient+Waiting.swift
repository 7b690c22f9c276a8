import BatonCore
import BatonProtocol

/// A message that the relay has not accepted yet.
public struct WaitingMessage: Hashable, Sendable {
    public let ref: String
    public let recipient: Recipient
    public let content: Content

    init?(_ send: WireSend) {
        switch send.to {
        case .user(let text):
            guard let user = UserID(text) else { return nil }
            recipient = .user(user)
        case .conversation(let text):
            guard let conversation = ConversationID(text) else { return nil }
            recipient = .conversation(conversation)
        case nil: return nil
        }
        guard let content = Content(send.content) else { return nil }
        ref = send.ref
        self.content = content
    }
}

extension BatonClient {
    /// The messages in the outbox, also those of an earlier run that the state file kept. Those of one conversation
    /// are in their order.
    public var waitingMessages: [WaitingMessage] { session.outbox.messages.compactMap { WaitingMessage($0.send) } }
}
