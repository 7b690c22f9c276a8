public import BatonCore
import GRDB

/// What `baton inspect` shows of the store: without asking who may see it.
extension SQLiteStore {
    /// By id or handle; nil where there is no such user.
    public func inspectUser(_ idOrHandle: String) async throws(StoreError) -> UserInspection? {
        try await read { connection throws in
            let row = try Row.fetchOne(
                connection.database,
                sql: """
                    SELECT u.*, i.head, i.truncated, (SELECT count(*) FROM inbox WHERE user = u.num) AS waiting,
                        (SELECT count(*) FROM members WHERE user = u.num) AS conversations
                    FROM users u JOIN inboxes i ON i.user = u.num WHERE u.id = ? OR u.handle = ?
                    """, arguments: [UserID(idOrHandle)?.stored, idOrHandle])
            guard let row else { return nil }
            let devices = try Row.fetchAll(
                connection.database,
                sql: """
                    SELECT d.*, c.position, c.state, c.last_used FROM devices d JOIN cursors c ON c.device = d.num
                    WHERE d.user = ? ORDER BY d.created_at, d.num
                    """, arguments: [row["num"]])
            return UserInspection(
                user: User(row: row), epoch: Epoch(rawValue: UInt64(bitPattern: row["epoch"])),
                head: InboxSequence(stored: row["head"]), truncated: InboxSequence(stored: row["truncated"]),
                waitingEvents: row["waiting"], conversations: row["conversations"],
                devices: devices.map(DeviceInspection.init(row:)))
        }
    }

    public func inspectConversation(_ id: ConversationID) async throws(StoreError) -> ConversationInspection? {
        try await read { connection throws in
            let db = connection.database
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM conversations WHERE high = ? AND low = ?",
                arguments: [id.storedHigh, id.storedLow])
            guard let row else { return nil }
            let summary = try Conversations.summary(row, for: nil, in: db)
            return ConversationInspection(
                id: id, members: summary.members, last: ConversationSequence(stored: row["last"]), at: summary.at,
                createdAt: Timestamp(milliseconds: row["created_at"]), isBlocked: row["blocked"] as Int64 != 0)
        }
    }

    public func inspectMessage(_ id: MessageID) async throws(StoreError) -> MessageInspection? {
        try await read { connection throws in
            let db = connection.database
            let conversation = try Row.fetchOne(
                db, sql: "SELECT * FROM conversations WHERE high = ? AND low = ?",
                arguments: [id.conversation.storedHigh, id.conversation.storedLow])
            guard let conversation, id.sequence != .zero,
                let message = try Conversations.history(
                    conversation, .before(id.sequence.next), limit: 1, in: db
                ).first, message.id == id
            else { return nil }
            let members = try Conversations.members(conversation["num"], in: db)
            return MessageInspection(
                message: message, deliveredTo: members.filter { $0.delivered >= id.sequence }.map(\.user),
                readBy: members.filter { $0.read >= id.sequence }.map(\.user))
        }
    }
}

public struct UserInspection: Hashable, Sendable {
    public let user: User
    public let epoch: Epoch
    public let head: InboxSequence
    public let truncated: InboxSequence
    /// Events that some active device has not acknowledged.
    public let waitingEvents: Int
    public let conversations: Int
    /// All of them, also those that were revoked.
    public let devices: [DeviceInspection]
}

public struct DeviceInspection: Hashable, Sendable {
    public enum State: String, Hashable, Sendable { case active, idle, revoked }

    public let id: DeviceID
    public let name: String
    public let platform: String
    public let createdAt: Timestamp
    public let lastUsedAt: Timestamp
    public let cursor: InboxSequence
    public let state: State

    init(row: Row) {
        id = DeviceID(stored: row["id"])
        name = row["name"]
        platform = row["platform"]
        createdAt = Timestamp(milliseconds: row["created_at"])
        lastUsedAt = Timestamp(milliseconds: row["last_used"])
        cursor = InboxSequence(stored: row["position"])
        state =
            switch DeviceState(rawValue: row["state"]) {
            case .active: .active
            case .idle: .idle
            case .revoked, nil: .revoked
            }
    }
}

public struct ConversationInspection: Hashable, Sendable {
    public let id: ConversationID
    public let members: [ConversationMember]
    public let last: ConversationSequence
    public let at: Timestamp
    public let createdAt: Timestamp
    public let isBlocked: Bool
}

public struct MessageInspection: Hashable, Sendable {
    public let message: StoredMessage
    /// Members whose delivered watermark covers it; the sender's own says nothing about own messages.
    public let deliveredTo: [UserID]
    public let readBy: [UserID]
}
