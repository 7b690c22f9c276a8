import GRDBSQLite

/// The statements of the writer's hot path, prepared once.
struct HotStatements {
    let dataVersion: HotStatement
    let lastMessage: HotStatement
    let userByID: HotStatement
    let userByNum: HotStatement
    let epoch: HotStatement
    let device: HotStatement
    let cursor: HotStatement
    let revocation: HotStatement
    let inbox: HotStatement
    let conversationByID: HotStatement
    let conversationByNum: HotStatement
    let conversationState: HotStatement
    let members: HotStatement
    let blocks: HotStatement
    let insertConversation: HotStatement
    let insertMember: HotStatement
    let insertRef: HotStatement
    let deleteRef: HotStatement
    let refOutcome: HotStatement
    let insertMessage: HotStatement
    let messageLink: HotStatement
    let anchor: HotStatement
    let insertInboxMessage: HotStatement
    let insertInboxReceipt: HotStatement
    let acknowledged: HotStatement
    let updateConversation: HotStatement
    let updateMember: HotStatement
    let updateInbox: HotStatement
    let updateCursor: HotStatement
    let slowestCursor: HotStatement
    let trim: HotStatement

    init(_ connection: OpaquePointer) throws(SQLiteFailure) {
        func prepare(_ sql: String) throws(SQLiteFailure) -> HotStatement { try HotStatement(connection, sql) }
        dataVersion = try prepare("PRAGMA data_version")
        lastMessage = try prepare("SELECT max(num) FROM messages")
        userByID = try prepare("SELECT num FROM users WHERE id = ?1")
        userByNum = try prepare("SELECT id FROM users WHERE num = ?1")
        epoch = try prepare("SELECT epoch FROM users WHERE num = ?1")
        device = try prepare(
            "SELECT d.num, d.user, u.id FROM devices d JOIN users u ON u.num = d.user WHERE d.id = ?1")
        cursor = try prepare("SELECT position, state, last_used, connections FROM cursors WHERE device = ?1")
        revocation = try prepare("SELECT revoked_for FROM devices WHERE num = ?1")
        inbox = try prepare("SELECT head, truncated, devices FROM inboxes WHERE user = ?1")
        conversationByID = try prepare("SELECT num FROM conversations WHERE high = ?1 AND low = ?2")
        conversationByNum = try prepare("SELECT high, low FROM conversations WHERE num = ?1")
        conversationState = try prepare("SELECT last, last_at, last_message, blocked FROM conversations WHERE num = ?1")
        members = try prepare(
            "SELECT user, delivered, read, sent, sent_read FROM members WHERE conversation = ?1 ORDER BY user")
        blocks = try prepare(
            "SELECT count(*) FROM blocks WHERE (user = ?1 AND other = ?2) OR (user = ?2 AND other = ?1)")
        insertConversation = try prepare(
            """
            INSERT INTO conversations (high, low, created_at, last, last_at, last_message, blocked)
            VALUES (?1, ?2, ?3, 0, ?3, 0, 0) RETURNING num
            """)
        insertMember = try prepare(
            """
            INSERT INTO members (conversation, user, role, delivered, read, sent, sent_read)
            VALUES (?1, ?2, 'member', 0, 0, 0, 0)
            """)
        insertRef = try prepare(
            "INSERT INTO refs (device, ref, message) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
        deleteRef = try prepare("DELETE FROM refs WHERE device = ?1 AND ref = ?2")
        refOutcome = try prepare(
            """
            SELECT c.high, c.low, m.sequence, m.at, m.payload, m.digest FROM refs r
            JOIN messages m ON m.num = r.message JOIN conversations c ON c.num = m.conversation
            WHERE r.device = ?1 AND r.ref = ?2
            """)
        insertMessage = try prepare(
            """
            INSERT INTO messages (num, conversation, sequence, sender, sent, previous, at, payload)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """)
        messageLink = try prepare("SELECT sequence, sender, sent, previous FROM messages WHERE num = ?1")
        anchor = try prepare(
            """
            SELECT num FROM messages INDEXED BY messages_by_32
            WHERE conversation = ?1 AND sequence >= ?2 AND sequence % 32 = 0 ORDER BY sequence LIMIT 1
            """)
        insertInboxMessage = try prepare(
            """
            INSERT INTO inbox (user, sequence, conversation, member, message, position)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
        insertInboxReceipt = try prepare(
            """
            INSERT INTO inbox (user, sequence, conversation, member, position, read, at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            """)
        acknowledged = try prepare(
            """
            SELECT conversation, position FROM inbox
            WHERE user = ?1 AND sequence > ?2 AND sequence <= ?3 AND message IS NOT NULL AND member <> ?1
            """)
        updateConversation = try prepare(
            "UPDATE conversations SET last = ?2, last_at = ?3, last_message = ?4 WHERE num = ?1")
        updateMember = try prepare(
            """
            UPDATE members SET delivered = ?3, read = ?4, sent = ?5, sent_read = ?6
            WHERE conversation = ?1 AND user = ?2
            """)
        updateInbox = try prepare("UPDATE inboxes SET head = ?2, truncated = ?3, devices = ?4 WHERE user = ?1")
        updateCursor = try prepare(
            "UPDATE cursors SET position = ?2, state = ?3, last_used = ?4, connections = ?5 WHERE device = ?1")
        slowestCursor = try prepare(
            """
            SELECT min(c.position) FROM devices d JOIN cursors c ON c.device = d.num
            WHERE d.user = ?1 AND c.state = 0
            """)
        trim = try prepare("DELETE FROM inbox WHERE user = ?1 AND sequence <= ?2")
    }
}
