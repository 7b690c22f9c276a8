public import BatonCore
import BatonProtocol

/// A user as others, or they themselves, see them.
public struct Profile: Hashable, Sendable {
    public let id: UserID
    public let handle: String
    public let displayName: String
    public let about: String
    /// Own profile only; empty where there is none.
    public let phone: String
    public let email: String
    public let createdAt: Timestamp
    /// nil where it is not for the asking user to know.
    public let presence: PresenceChange?

    static func checked(_ wire: WireProfile) throws(ClientError) -> Profile {
        guard let id = UserID(wire.id) else { throw .badAnswer("a user called \(wire.id)") }
        return Profile(
            id: id, handle: wire.handle, displayName: wire.displayName, about: wire.about, phone: wire.phone,
            email: wire.email, createdAt: Timestamp(milliseconds: Int64(clamping: wire.createdAtMs)),
            presence: wire.hasPresence ? PresenceChange(wire.presence) : nil)
    }
}

/// A conversation as one of its members sees it.
public struct Conversation: Hashable, Sendable {
    public let id: ConversationID
    public let members: [ConversationMember]
    public let lastMessage: Message?
    public let unread: UInt64
    public let at: Timestamp

    init?(_ wire: WireConversation) {
        guard let id = ConversationID(wire.id) else { return nil }
        self.id = id
        members = wire.members.compactMap { ConversationMember($0) }
        lastMessage = wire.hasLastMessage ? Message(wire.lastMessage) : nil
        unread = wire.unread
        at = Timestamp(milliseconds: Int64(clamping: wire.atMs))
    }
}

/// A member of a conversation, and how far the conversation was delivered to them and read by them.
public struct ConversationMember: Hashable, Sendable {
    public let user: UserID
    public let handle: String
    public let displayName: String
    public let role: String
    public let delivered: ConversationSequence
    public let read: ConversationSequence

    init?(_ wire: WireMember) {
        guard let user = UserID(wire.user) else { return nil }
        self.user = user
        handle = wire.handle
        displayName = wire.displayName
        role = wire.role
        delivered = ConversationSequence(rawValue: wire.delivered)
        read = ConversationSequence(rawValue: wire.read)
    }
}

/// Some of the user's conversations, the latest first.
public struct ConversationPage: Hashable, Sendable {
    public let conversations: [Conversation]
    /// Pass it as `before` for the next page; nil on the last.
    public let next: String?

    init(_ wire: WireConversationList) {
        conversations = wire.conversations.compactMap { Conversation($0) }
        next = wire.next.isEmpty ? nil : wire.next
    }
}

/// Some of a conversation's messages.
public struct HistoryPage: Hashable, Sendable {
    /// Ascending.
    public let messages: [Message]
    /// Whether there are more in the direction of the page.
    public let hasMore: Bool
}

/// A device of the user's.
public struct LinkedDevice: Hashable, Sendable {
    public let id: DeviceID
    public let name: String
    public let platform: String
    public let createdAt: Timestamp
    public let lastUsedAt: Timestamp
    /// The device that asked.
    public let isCurrent: Bool

    init?(_ wire: WireDeviceInfo) {
        guard let id = DeviceID(wire.id) else { return nil }
        self.id = id
        name = wire.name
        platform = wire.platform
        createdAt = Timestamp(milliseconds: Int64(clamping: wire.createdAtMs))
        lastUsedAt = Timestamp(milliseconds: Int64(clamping: wire.lastUsedAtMs))
        isCurrent = wire.current
    }
}
