public import BatonCore
import Foundation
import GRDB

extension SQLiteStore: ConversationStore {
    public func conversations(
        of user: UserID, before: ConversationCursor?, limit: Int, bytes: Int
    ) async throws(StoreError) -> ListPage<ConversationSummary> {
        try await read { connection throws in
            let db = connection.database
            // Ids are unsigned: those with the highest bit are negative here, and greater.
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT c.* FROM users u JOIN members me ON me.user = u.num
                    JOIN conversations c ON c.num = me.conversation
                    WHERE u.id = ?1 AND (?2 IS NULL OR c.last_at < ?2 OR (c.last_at = ?2
                        AND (c.high < 0, c.high, c.low < 0, c.low) < (?3 < 0, ?3, ?4 < 0, ?4)))
                    ORDER BY c.last_at DESC, c.high < 0 DESC, c.high DESC, c.low < 0 DESC, c.low DESC LIMIT ?5
                    """,
                arguments: [
                    user.stored, before?.at.milliseconds, before?.conversation.storedHigh,
                    before?.conversation.storedLow, max(limit, 0) + 1,
                ])
            // One after the other: no more contents are held than the page has, and one.
            var items: [ConversationSummary] = []
            var cost = 0
            while let row = try rows.next() {
                let summary = try Conversations.summary(row, for: user, in: db)
                cost += summary.cost
                guard items.count < limit, cost <= bytes || items.isEmpty else {
                    return ListPage(items: items, hasMore: true)
                }
                items.append(summary)
            }
            return ListPage(items: items, hasMore: false)
        }
    }

    public func conversation(
        _ id: ConversationID, of user: UserID
    ) async throws(StoreError) -> ConversationSummary? {
        try await read { connection throws in
            let db = connection.database
            return try Conversations.row(id, of: user, in: db).map {
                try Conversations.summary($0, for: user, in: db)
            }
        }
    }

    public func history(
        of conversation: ConversationID, for user: UserID, _ range: HistoryRange, limit: Int, bytes: Int
    ) async throws(StoreError) -> ListPage<StoredMessage>? {
        try await read { connection throws in
            let db = connection.database
            guard let row = try Conversations.row(conversation, of: user, in: db) else { return nil }
            return try Conversations.history(row, range, limit: limit, bytes: bytes, in: db)
        }
    }

    public func members(
        of conversation: ConversationID, for user: UserID
    ) async throws(StoreError) -> [ConversationMember]? {
        try await read { connection throws in
            let db = connection.database
            return try Conversations.row(conversation, of: user, in: db).map {
                try Conversations.members($0["num"], in: db)
            }
        }
    }

    public func acquaintances(
        of user: UserID, among others: [UserID]
    ) async throws(StoreError) -> Set<UserID> {
        try await read { connection throws in
            let statement = try connection.database.cachedStatement(
                sql: """
                    SELECT EXISTS (
                        SELECT 1 FROM conversations c WHERE c.high = ? AND c.low = ? AND c.blocked = 0
                        AND NOT EXISTS (SELECT 1 FROM members m WHERE m.conversation = c.num AND m.sent = 0))
                    """)
            var found: Set<UserID> = []
            for other in others {
                guard let id = ConversationID(between: user, and: other) else { continue }
                if try Bool.fetchOne(statement, arguments: [id.storedHigh, id.storedLow]) == true {
                    found.insert(other)
                }
            }
            return found
        }
    }
}

/// Queries of conversations and their chains of messages.
enum Conversations {
    /// The conversation's row, where the user is a member.
    static func row(_ id: ConversationID, of user: UserID, in db: Database) throws -> Row? {
        try Row.fetchOne(
            try db.cachedStatement(
                sql: """
                    SELECT c.* FROM conversations c JOIN users u ON u.id = ?3
                    JOIN members m ON m.conversation = c.num AND m.user = u.num WHERE c.high = ?1 AND c.low = ?2
                    """), arguments: [id.storedHigh, id.storedLow, user.stored])
    }

    static func members(_ conversation: Int64, in db: Database) throws -> [ConversationMember] {
        try memberRows(conversation, in: db).map(ConversationMember.init(row:))
    }

    private static func memberRows(_ conversation: Int64, in db: Database) throws -> [Row] {
        try Row.fetchAll(
            try db.cachedStatement(
                sql: """
                    SELECT m.*, u.id, u.handle, u.display_name FROM members m JOIN users u ON u.num = m.user
                    WHERE m.conversation = ? ORDER BY m.user
                    """), arguments: [conversation])
    }

    static func summary(_ row: Row, for user: UserID, in db: Database) throws -> ConversationSummary {
        let id = ConversationID(storedHigh: row["high"], storedLow: row["low"])
        let members = try memberRows(row["num"], in: db)
        var unread: Int64 = 0
        if let own = members.first(where: { UserID(stored: $0["id"]) == user }) {
            let (read, sent, sentRead): (Int64, Int64, Int64) = (own["read"], own["sent"], own["sent_read"])
            let last: Int64 = row["last"]
            unread = (last - read) - (sent - sentRead)
        }
        return ConversationSummary(
            id: id, members: members.map(ConversationMember.init(row:)),
            last: try lastMessage(row, in: db), at: Timestamp(milliseconds: row["last_at"]), unread: Int(max(0, unread))
        )
    }

    /// The newest message. Contents go from a conversation's beginning on: where its own is gone, all are.
    private static func lastMessage(_ row: Row, in db: Database) throws -> StoredMessage? {
        let statement = try db.cachedStatement(sql: "SELECT sequence, at, payload FROM messages WHERE num = ?")
        guard let link = try Row.fetchOne(statement, arguments: [row["last_message"]]),
            let payload: Data = link["payload"]
        else { return nil }
        let id = ConversationID(storedHigh: row["high"], storedLow: row["low"])
        return StoredMessage(
            id: MessageID(conversation: id, sequence: ConversationSequence(stored: link["sequence"])),
            at: Timestamp(milliseconds: link["at"]), payload: Array(payload))
    }

    /// A message of a chain, without its content.
    private struct Link: Hashable, Sendable {
        let num: Int64
        let sequence: Int64
        let bytes: Int
    }

    /// Which messages a page has is decided by their lengths; only then are contents read.
    static func history(
        _ row: Row, _ range: HistoryRange, limit: Int, bytes: Int, in db: Database
    ) throws -> ListPage<StoredMessage> {
        let links = try links(row, range, limit: limit, in: db)
        let page: ListPage<Link>
        switch range {
        case .before:
            let newest = ListPage(first: limit, upTo: bytes, of: links, \.bytes)
            page = ListPage(items: newest.items.reversed(), hasMore: newest.hasMore)
        case .after:
            page = ListPage(first: limit, upTo: bytes, of: links.reversed(), \.bytes)
        }
        let id = ConversationID(storedHigh: row["high"], storedLow: row["low"])
        let statement = try db.cachedStatement(sql: "SELECT at, payload FROM messages WHERE num = ?")
        let messages = try page.items.compactMap { link -> StoredMessage? in
            guard let message = try Row.fetchOne(statement, arguments: [link.num]),
                let payload: Data = message["payload"]
            else { return nil }
            return StoredMessage(
                id: MessageID(conversation: id, sequence: ConversationSequence(stored: link.sequence)),
                at: Timestamp(milliseconds: message["at"]), payload: Array(payload))
        }
        return ListPage(items: messages, hasMore: page.hasMore)
    }

    /// Walks the chain back from the nearest place that is known, the conversation's end or an anchor.
    ///
    /// - Returns: one link more than `limit`, where there are so many; the newest first.
    private static func links(
        _ row: Row, _ range: HistoryRange, limit: Int, in db: Database
    ) throws -> [Link] {
        let limit = Int64(max(limit, 0)) + 1
        let last: Int64 = row["last"]
        let (lower, upper): (Int64, Int64)
        switch range {
        case .before(nil): (lower, upper) = (0, last)
        case .before(.some(let sequence)):
            (lower, upper) = (0, min(last, Int64(clamping: sequence.rawValue) - 1))
        case .after(let sequence):
            // What retention took away is skipped, or a page of it would look like the end.
            guard let first = try firstKept(row, after: Int64(clamping: sequence.rawValue), in: db) else { return [] }
            lower = first - 1
            upper = lower > last - limit ? last : lower + limit
        }
        guard upper > lower else { return [] }
        let anchor = try Int64.fetchOne(
            try db.cachedStatement(
                sql: """
                    SELECT num FROM messages INDEXED BY messages_by_32
                    WHERE conversation = ? AND sequence >= ? AND sequence % 32 = 0 ORDER BY sequence LIMIT 1
                    """), arguments: [row["num"], upper])
        var next: Int64 = anchor ?? row["last_message"]
        var links: [Link] = []
        let statement = try db.cachedStatement(
            sql: "SELECT sequence, previous, length(payload) AS bytes FROM messages WHERE num = ?")
        // Less than a step of the index lies behind `upper`, and where a content is gone all before it are: the way is
        // hardly longer than the page.
        while next != 0, links.count < limit {
            guard let link = try Row.fetchOne(statement, arguments: [next]) else { break }
            let (num, sequence): (Int64, Int64) = (next, link["sequence"])
            if sequence <= lower { break }
            next = link["previous"]
            if sequence > upper { continue }
            guard let bytes: Int = link["bytes"] else { break }
            links.append(Link(num: num, sequence: sequence, bytes: bytes))
        }
        return links
    }

    /// The first sequence behind `lower` whose content is still there. Contents go from a conversation's beginning
    /// on, so the nearest anchor that has its own is at most one step of the index behind the first.
    private static func firstKept(_ row: Row, after lower: Int64, in db: Database) throws -> Int64? {
        let last: Int64 = row["last"]
        guard lower < last else { return nil }
        let anchor = try Int64.fetchOne(
            try db.cachedStatement(
                sql: """
                    SELECT num FROM messages INDEXED BY messages_by_32
                    WHERE conversation = ? AND sequence > ? AND sequence % 32 = 0 AND payload IS NOT NULL
                    ORDER BY sequence LIMIT 1
                    """), arguments: [row["num"], lower])
        var next: Int64 = anchor ?? row["last_message"]
        var first: Int64?
        let statement = try db.cachedStatement(
            sql: "SELECT sequence, previous FROM messages WHERE num = ? AND payload IS NOT NULL")
        while next != 0 {
            guard let link = try Row.fetchOne(statement, arguments: [next]) else { break }
            let sequence: Int64 = link["sequence"]
            if sequence <= lower { break }
            first = sequence
            next = link["previous"]
        }
        return first
    }
}

extension ConversationMember {
    init(row: Row) {
        self.init(
            user: UserID(stored: row["id"]), handle: row["handle"], displayName: row["display_name"],
            role: Role(rawValue: row["role"]) ?? .member, delivered: ConversationSequence(stored: row["delivered"]),
            read: ConversationSequence(stored: row["read"]))
    }
}
