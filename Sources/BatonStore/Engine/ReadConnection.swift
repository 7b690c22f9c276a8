import BatonCore
import GRDB
import GRDBSQLite

/// A connection for reads with the prepared statements of the inbox. Belongs to one thread.
final class ReadConnection {
    let database: Database
    private let beginning: HotStatement
    private let ending: HotStatement
    private let inboxByUser: HotStatement
    private let page: HotStatement
    private let opening: HotStatement
    private let connections: HotStatement
    /// Public ids by number; they never change.
    private var conversations: [Int64: ConversationID] = [:]
    private var users: [Int64: UserID] = [:]
    /// Ids of each kind that are known at once.
    private let keptIDs: Int

    init(_ database: Database, keptIDs: Int) throws(SQLiteFailure) {
        guard let connection = database.sqliteConnection else {
            throw SQLiteFailure(code: SQLITE_MISUSE, connection: nil)
        }
        self.database = database
        self.keptIDs = keptIDs
        beginning = try HotStatement(connection, "BEGIN")
        ending = try HotStatement(connection, "COMMIT")
        inboxByUser = try HotStatement(
            connection,
            """
            SELECT i.user, i.head, i.truncated FROM users u JOIN inboxes i ON i.user = u.num WHERE u.id = ?1
            """)
        page = try HotStatement(
            connection,
            """
            SELECT i.sequence, i.conversation, i.member, i.message, i.position, i.read, i.at, m.at, m.payload, i.kind, i.body
            FROM inbox i LEFT JOIN messages m ON m.num = i.message
            WHERE i.user = ?1 AND i.sequence > ?2 ORDER BY i.sequence LIMIT ?3
            """)
        opening = try HotStatement(
            connection,
            """
            SELECT u.epoch, i.head, i.truncated, c.position, c.state
            FROM devices d JOIN users u ON u.num = d.user JOIN inboxes i ON i.user = d.user
            JOIN cursors c ON c.device = d.num WHERE d.id = ?1 AND u.id = ?2 AND c.state <> 2
            """)
        connections = try HotStatement(
            connection,
            """
            SELECT c.connections FROM devices d JOIN cursors c ON c.device = d.num WHERE d.id = ?1 AND c.state <> 2
            """)
    }

    func begin() throws(SQLiteFailure) {
        try beginning.run()
    }

    func end() {
        // A read transaction that cannot end has ended by an error before.
        try? ending.run()
    }

    func inboxPage(
        of user: UserID, after position: InboxSequence, limit: Int, bytes: Int
    ) throws(SQLiteFailure) -> InboxPage {
        inboxByUser.bind(1, Int64(bitPattern: user.rawValue))
        guard try inboxByUser.step() else {
            inboxByUser.reset()
            return InboxPage(events: [], truncated: .zero, head: .zero)
        }
        let num = inboxByUser.integer(0)
        let (head, truncated) = (inboxByUser.integer(1), inboxByUser.integer(2))
        inboxByUser.reset()
        var events: [InboxEvent] = []
        if position.rawValue < UInt64(bitPattern: head) {
            events.reserveCapacity(min(max(limit, 1), Int(head) - Int(position.rawValue)))
            try collect(
                of: user, num: num, after: max(Int64(position.rawValue), truncated), limit: max(limit, 1),
                bytes: bytes, into: &events)
        }
        return InboxPage(
            events: events, truncated: InboxSequence(stored: truncated), head: InboxSequence(stored: head))
    }

    private func collect(
        of user: UserID, num: Int64, after position: Int64, limit: Int, bytes: Int, into events: inout [InboxEvent]
    ) throws(SQLiteFailure) {
        page.bind(1, num)
        page.bind(2, position)
        page.bind(3, Int64(limit))
        defer { page.reset() }
        var cost = 0
        while try page.step() {
            let event = InboxEvent(
                user: user, sequence: InboxSequence(stored: page.integer(0)), body: try body())
            cost += event.cost
            if cost > bytes, !events.isEmpty { return }
            events.append(event)
        }
    }

    /// What the row of the page says that was read last.
    private func body() throws(SQLiteFailure) -> InboxEvent.Body {
        if !page.isNull(9) { return .encoded(kind: UInt32(clamping: page.integer(9)), bytes: page.blob(10)) }
        let conversation = try conversationID(page.integer(1))
        if page.isNull(3) {
            return .receipt(
                Receipt(
                    conversation: conversation, user: try userID(page.integer(2)),
                    delivered: ConversationSequence(stored: page.integer(4)),
                    read: ConversationSequence(stored: page.integer(5)),
                    at: Timestamp(milliseconds: page.integer(6))))
        }
        return .message(
            StoredMessage(
                id: MessageID(
                    conversation: conversation, sequence: ConversationSequence(stored: page.integer(4))),
                at: Timestamp(milliseconds: page.integer(7)), payload: page.blob(8)))
    }

    func inboxState(of user: UserID, device: DeviceID) throws(SQLiteFailure) -> Result<InboxState?, StoreError> {
        opening.bind(1, Int64(bitPattern: device.rawValue))
        opening.bind(2, Int64(bitPattern: user.rawValue))
        defer { opening.reset() }
        guard try opening.step() else { return .success(nil) }
        guard opening.integer(4) == DeviceState.active.rawValue else {
            return .failure(.unavailable("a device that was idle is taken in again by a commit only"))
        }
        return .success(
            InboxState(
                epoch: Epoch(rawValue: UInt64(bitPattern: opening.integer(0))),
                head: InboxSequence(stored: opening.integer(1)), truncated: InboxSequence(stored: opening.integer(2)),
                cursor: InboxSequence(stored: opening.integer(3))))
    }

    func inboxHead(of user: UserID) throws(SQLiteFailure) -> InboxSequence? {
        inboxByUser.bind(1, Int64(bitPattern: user.rawValue))
        defer { inboxByUser.reset() }
        return try inboxByUser.step() ? InboxSequence(stored: inboxByUser.integer(1)) : nil
    }

    /// Nil where the device is revoked, or there is none.
    func newestConnection(of device: DeviceID) throws(SQLiteFailure) -> ConnectionGeneration? {
        connections.bind(1, Int64(bitPattern: device.rawValue))
        defer { connections.reset() }
        guard try connections.step() else { return nil }
        return ConnectionGeneration(rawValue: UInt64(bitPattern: connections.integer(0)))
    }

    // MARK: Ids

    private func conversationID(_ num: Int64) throws(SQLiteFailure) -> ConversationID {
        if let id = conversations[num] { return id }
        let id = try asFailure {
            try Row.fetchOne(
                try database.cachedStatement(sql: "SELECT high, low FROM conversations WHERE num = ?"),
                arguments: [num])
        }
        let known = ConversationID(
            high: UInt64(bitPattern: id?["high"] ?? 0), low: UInt64(bitPattern: id?["low"] ?? 0))
        if conversations.count >= keptIDs { conversations = [:] }
        conversations[num] = known
        return known
    }

    private func userID(_ num: Int64) throws(SQLiteFailure) -> UserID {
        if let id = users[num] { return id }
        let id = try asFailure {
            try Int64.fetchOne(
                try database.cachedStatement(sql: "SELECT id FROM users WHERE num = ?"), arguments: [num])
        }
        let known = UserID(rawValue: UInt64(bitPattern: id ?? 0))
        if users.count >= keptIDs { users = [:] }
        users[num] = known
        return known
    }

    private func asFailure<Value>(_ body: () throws -> Value) throws(SQLiteFailure) -> Value {
        do { return try body() } catch { throw SQLiteFailure(error) }
    }
}
