/// Reads of conversations and their history. Each call checks, in the query itself, that the asking user is a member.
public protocol ConversationStore: Sendable {
    /// A user's conversations, the one with the latest message first.
    ///
    /// - Parameter before: only those whose latest message is older, or as old and the conversation's id smaller.
    func conversations(
        of user: UserID, before: ConversationCursor?, limit: Int
    ) async throws(StoreError) -> [ConversationSummary]

    /// One conversation of a user; nil where there is none or the user is no member.
    func conversation(_ id: ConversationID, of user: UserID) async throws(StoreError) -> ConversationSummary?

    /// A page of a conversation's messages, ascending, in the direction asked for.
    ///
    /// - Returns: nil where there is no such conversation or the user is no member.
    func history(
        of conversation: ConversationID, for user: UserID, _ range: HistoryRange, limit: Int
    ) async throws(StoreError) -> [StoredMessage]?

    /// The members, and nil where the asking user is none of them.
    func members(
        of conversation: ConversationID, for user: UserID
    ) async throws(StoreError) -> [ConversationMember]?

    /// Those of the users with whom `user` shares a conversation and no block: whose presence `user` may see.
    func acquaintances(of user: UserID, among others: [UserID]) async throws(StoreError) -> Set<UserID>
}

public enum HistoryRange: Hashable, Sendable {
    /// The latest messages before this sequence; `nil` is the end.
    case before(ConversationSequence?)
    /// The first messages behind this sequence.
    case after(ConversationSequence)
}

/// Where a page of conversations ended.
public struct ConversationCursor: Hashable, Sendable {
    public let at: Timestamp
    public let conversation: ConversationID

    public init(at: Timestamp, conversation: ConversationID) {
        self.at = at
        self.conversation = conversation
    }
}

public struct ConversationSummary: Hashable, Sendable {
    public let id: ConversationID
    public let members: [ConversationMember]
    public let last: StoredMessage?
    /// When the last message came, or when the conversation was made.
    public let at: Timestamp
    /// Exact: messages of others behind the user's read watermark.
    public let unread: Int

    public init(id: ConversationID, members: [ConversationMember], last: StoredMessage?, at: Timestamp, unread: Int) {
        self.id = id
        self.members = members
        self.last = last
        self.at = at
        self.unread = unread
    }
}

public struct ConversationMember: Hashable, Sendable {
    public let user: UserID
    public let handle: String
    public let displayName: String
    public let role: Role
    public let delivered: ConversationSequence
    public let read: ConversationSequence

    public enum Role: String, Hashable, Sendable { case owner, admin, member }

    public init(
        user: UserID, handle: String, displayName: String, role: Role, delivered: ConversationSequence,
        read: ConversationSequence
    ) {
        self.user = user
        self.handle = handle
        self.displayName = displayName
        self.role = role
        self.delivered = delivered
        self.read = read
    }
}
