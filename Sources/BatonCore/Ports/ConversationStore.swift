/// Reads of conversations and their history. Each call checks, in the query itself, that the asking user is a member.
public protocol ConversationStore: Sendable {
    /// A user's conversations, the one with the latest message first.
    ///
    /// - Parameters:
    ///   - before: only those whose latest message is older, or as old and the conversation's id smaller.
    ///   - bytes: of their latest messages together; one is given however large its message is.
    func conversations(
        of user: UserID, before: ConversationCursor?, limit: Int, bytes: Int
    ) async throws(StoreError) -> ListPage<ConversationSummary>

    /// One conversation of a user; nil where there is none or the user is no member.
    func conversation(_ id: ConversationID, of user: UserID) async throws(StoreError) -> ConversationSummary?

    /// A page of a conversation's messages, ascending, in the direction asked for.
    ///
    /// - Parameter bytes: of the messages together; one is given however large it is.
    /// - Returns: nil where there is no such conversation or the user is no member.
    func history(
        of conversation: ConversationID, for user: UserID, _ range: HistoryRange, limit: Int, bytes: Int
    ) async throws(StoreError) -> ListPage<StoredMessage>?

    /// The members, and nil where the asking user is none of them.
    func members(
        of conversation: ConversationID, for user: UserID
    ) async throws(StoreError) -> [ConversationMember]?

    /// Those of the users who are `user`'s acquaintances: each of the two may see when the other is online and types.
    ///
    /// Two users are acquainted while both have written in their direct conversation and neither blocks the other. Writing to
    /// somebody shows nothing of them: they have to answer. It changes with the first answer (`AcceptedMessage.newAcquaintances`) and
    /// with blocks, and who changes it announces it (`AcquaintanceAnnouncer`).
    func acquaintances(of user: UserID, among others: [UserID]) async throws(StoreError) -> Set<UserID>
}

/// A part of a list.
public struct ListPage<Item: Hashable & Sendable>: Hashable, Sendable {
    public let items: [Item]
    /// There are others behind the last of them, in the direction of the page.
    public let hasMore: Bool

    public init(items: [Item], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }

    /// As many of the items as the bounds allow, one at least.
    ///
    /// - Parameters:
    ///   - candidates: in the order in which they are wanted.
    ///   - bytes: what an item counts for.
    public init(first limit: Int, upTo bytes: Int, of candidates: some Sequence<Item>, _ cost: (Item) -> Int) {
        var items: [Item] = []
        var total = 0
        for candidate in candidates {
            total += cost(candidate)
            guard items.count < limit, total <= bytes || items.isEmpty else {
                self.init(items: items, hasMore: true)
                return
            }
            items.append(candidate)
        }
        self.init(items: items, hasMore: false)
    }
}

/// Tells all nodes that two users may have become acquainted, or no longer are, for code outside the event loops.
public protocol AcquaintanceAnnouncer: Sendable {
    /// - Returns: false where the bus could not be reached; the nodes' next look at the store finds it then.
    func announceAcquaintance(of user: UserID, and other: UserID) async -> Bool
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

    /// Bytes that it counts for in a page.
    public var cost: Int { last?.payload.count ?? 0 }

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
