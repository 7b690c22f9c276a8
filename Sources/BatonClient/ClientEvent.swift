public import BatonCore
import BatonProtocol
import Foundation

/// What happens to a client, in order.
public enum ClientEvent: Hashable, Sendable {
    /// A message of one of the user's conversations; also an own one, of this or another device.
    case message(Message)
    /// A member's watermarks moved.
    case receipt(Receipt)
    /// A message that was handed to `enqueue`, or came from the state file, is stored by the relay.
    case accepted(AcceptedMessage)
    /// Such a message was refused for good. It is out of the outbox.
    case rejected(RejectedMessage)
    /// The inbox could not be continued: read the conversations' histories again, then go on.
    case resync(ResyncReason)
    /// Everything that waited in the inbox was delivered; what follows is live. Once a connection.
    case caughtUp
    /// A watched user came or went. Not kept: an event that finds the queue full is dropped.
    case presence(PresenceChange)
    /// Somebody types, or stopped. Ends by itself after 6 s. Not kept either.
    case typing(Typing)
}

extension ClientEvent {
    /// An entry of the inbox; nil where it is not what the contract says.
    init?(_ entry: WireEvent.OneOf_Event) {
        switch entry {
        case .message(let wire):
            guard let message = Message(wire) else { return nil }
            self = .message(message)
        case .receipt(let wire):
            guard let receipt = Receipt(wire) else { return nil }
            self = .receipt(receipt)
        }
    }
}

/// A message as its recipients see it.
public struct Message: Hashable, Sendable {
    public let id: MessageID
    public let sender: UserID
    public let device: DeviceID
    /// The sender's own name for it.
    public let ref: String
    public let content: Content
    public let at: Timestamp
}

/// What a message says.
public enum Content: Hashable, Sendable {
    case text(String)
    /// Anything else, or a ciphertext; the relay does not look inside.
    case data([UInt8], mediaType: String)
}

/// Where a message goes.
public enum Recipient: Hashable, Sendable {
    /// The direct conversation with a user, which is made where there is none.
    case user(UserID)
    case conversation(ConversationID)
}

/// A message that the relay has stored: it will reach every device of every recipient.
public struct AcceptedMessage: Hashable, Sendable {
    public let ref: String
    public let id: MessageID
    public let at: Timestamp
}

/// A message that the relay will not store, and why.
public struct RejectedMessage: Hashable, Sendable {
    public let ref: String
    public let error: RelayError
}

/// Why the device must read the history instead of resuming.
public enum ResyncReason: Hashable, Sendable {
    /// Events behind the device's position are gone.
    case truncated
    /// The inbox has another numbering.
    case epochChanged
}

/// A watched user came online or went offline.
public struct PresenceChange: Hashable, Sendable {
    public let user: UserID
    public let isOnline: Bool
    /// Of an offline user, where it is known.
    public let lastSeen: Timestamp?
}

/// Somebody types in a conversation, or stopped.
public struct Typing: Hashable, Sendable {
    public let conversation: ConversationID
    public let user: UserID
    public let isActive: Bool
}

extension Content {
    /// - Returns: nil where there is no content of a kind known here.
    init?(_ wire: WireContent) {
        switch wire.kind {
        case .text(let text): self = .text(text)
        case .data(let data): self = .data(Array(data), mediaType: wire.mediaType)
        case nil: return nil
        }
    }

    var wire: WireContent {
        var wire = WireContent()
        switch self {
        case .text(let text): wire.text = text
        case .data(let bytes, let mediaType):
            wire.data = .init(bytes)
            wire.mediaType = mediaType
        }
        return wire
    }
}

extension Message {
    /// - Returns: nil where an id is no id. Content of an unknown kind is empty data: newer clients may send what
    ///   this one cannot show, and the event must still be acknowledged.
    init?(_ wire: WireMessage) {
        guard let conversation = ConversationID(wire.conversation), let sender = UserID(wire.sender),
            let device = DeviceID(wire.device)
        else { return nil }
        id = MessageID(conversation: conversation, sequence: ConversationSequence(rawValue: wire.sequence))
        self.sender = sender
        self.device = device
        ref = wire.ref
        content = Content(wire.content) ?? .data([], mediaType: wire.content.mediaType)
        at = Timestamp(milliseconds: Int64(clamping: wire.atMs))
    }
}

extension AcceptedMessage {
    init?(_ wire: WireAccepted) {
        guard let id = MessageID(wire.id) else { return nil }
        self.init(ref: wire.ref, id: id, at: Timestamp(milliseconds: Int64(clamping: wire.atMs)))
    }
}

extension Receipt {
    init?(_ wire: WireReceipt) {
        guard let conversation = ConversationID(wire.conversation), let user = UserID(wire.user) else { return nil }
        self.init(
            conversation: conversation, user: user, delivered: ConversationSequence(rawValue: wire.delivered),
            read: ConversationSequence(rawValue: wire.read), at: Timestamp(milliseconds: Int64(clamping: wire.atMs)))
    }
}

extension PresenceChange {
    init?(_ wire: WirePresenceUpdate) {
        guard let user = UserID(wire.user) else { return nil }
        self.init(
            user: user, isOnline: wire.online,
            lastSeen: wire.lastSeenMs > 0 ? Timestamp(milliseconds: Int64(clamping: wire.lastSeenMs)) : nil)
    }
}

extension Typing {
    init?(_ wire: WireTypingNotice) {
        guard let conversation = ConversationID(wire.conversation), let user = UserID(wire.user) else { return nil }
        self.init(conversation: conversation, user: user, isActive: wire.active)
    }
}
