public import BatonCore

/// A user as the store has them. Times are milliseconds since 1970.
public struct InspectedUser: Hashable, Sendable {
    public let id: UserID
    public let handle: String
    public let displayName: String
    public let createdAt: Int64
    public let lastSeen: Int64?
    public let epoch: Epoch
    /// The inbox' last position, and up to where it is gone.
    public let head: Int64
    public let truncated: Int64
    /// Events that some active device has not acknowledged.
    public let waiting: Int
    public let conversations: Int
    public let devices: [InspectedDevice]
}

public struct InspectedDevice: Hashable, Sendable {
    public let id: DeviceID
    public let name: String
    public let platform: String
    /// How far it has acknowledged its user's inbox.
    public let cursor: Int64
    public let lastUsed: Int64
    /// Away for so long that it holds nothing back.
    public let isIdle: Bool
    public let isRevoked: Bool
}

public struct InspectedConversation: Hashable, Sendable {
    public let id: ConversationID
    /// The last message's sequence.
    public let last: Int64
    public let createdAt: Int64
    public let lastAt: Int64
    public let isBlocked: Bool
    public let members: [InspectedMember]
}

public struct InspectedMember: Hashable, Sendable {
    let number: Int64
    public let user: UserID
    public let handle: String
    public let role: String
    public let delivered: Int64
    public let read: Int64
}

public struct InspectedMessage: Hashable, Sendable {
    public let id: MessageID
    public let sender: UserID?
    public let at: Int64
    /// Of its payload; nil where retention took it.
    public let bytes: Int?
    public let refs: [String]
    public let recipients: [Recipient]

    public struct Recipient: Hashable, Sendable {
        public let member: InspectedMember
        /// Its position in the member's inbox; nil once every active device has passed it.
        public let inboxSequence: Int64?
        /// The member's devices that are not revoked.
        public let devices: [InspectedDevice]
    }
}
