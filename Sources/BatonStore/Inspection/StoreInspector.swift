public import BatonCore
import GRDB

/// Reads a store for people who look at it, beside the nodes that use it: read only, in one snapshot a question, with no
/// part in their threads and queues.
public struct StoreInspector: Sendable {
    private let queue: DatabaseQueue

    public init(path: String) throws(StoreOpenError) {
        do {
            queue = try Connections(settings: StoreSettings(path: path)).reader(0)
            guard try queue.inDatabase(Schema.state).admits <= Schema.version else {
                throw StoreOpenError.newerSchema(path: path)
            }
        } catch let error as StoreOpenError {
            throw error
        } catch {
            throw .unusable(path: path, reason: SQLiteFailure(error).description)
        }
    }

    public func user(_ id: UserID) throws(StoreError) -> InspectedUser? {
        try read { db in try Self.user(db, "id = ?", [Int64(bitPattern: id.rawValue)]) }
    }

    public func user(handle: String) throws(StoreError) -> InspectedUser? {
        try read { db in try Self.user(db, "handle = ?", [handle]) }
    }

    public func conversation(_ id: ConversationID) throws(StoreError) -> InspectedConversation? {
        try read { db in
            guard let row = try Self.conversation(db, id) else { return nil }
            return InspectedConversation(
                id: id, last: row["last"], createdAt: row["created_at"], lastAt: row["last_at"],
                isBlocked: row["blocked"] > 0, members: try Self.members(db, of: row["num"]))
        }
    }

    public func message(_ id: MessageID) throws(StoreError) -> InspectedMessage? {
        try read { db in
            guard let conversation = try Self.conversation(db, id.conversation),
                let row = try Self.message(db, id, in: conversation)
            else { return nil }
            let number: Int64 = row["num"]
            let members = try Self.members(db, of: conversation["num"])
            return InspectedMessage(
                id: id, sender: members.first { $0.number == row["sender"] }?.user, at: row["at"],
                bytes: row["bytes"], refs: try String.fetchAll(db, sql: Self.refsOfMessage, arguments: [number]),
                recipients: try members.map { member in
                    let position = try Int64.fetchOne(
                        db, sql: "SELECT sequence FROM inbox WHERE user = ? AND message = ?",
                        arguments: [member.number, number])
                    return InspectedMessage.Recipient(
                        member: member, inboxSequence: position,
                        devices: try Self.devices(db, of: member.number).filter { !$0.isRevoked })
                })
        }
    }

    private static let refsOfMessage = "SELECT ref FROM refs WHERE message = ?"

    // MARK: Rows

    func read<Answer>(_ body: (Database) throws -> Answer) throws(StoreError) -> Answer {
        do {
            return try queue.read(body)
        } catch {
            throw SQLiteFailure(error).storeError
        }
    }

    private static func user(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws
        -> InspectedUser?
    {
        let sql = "SELECT * FROM users LEFT JOIN inboxes ON inboxes.user = users.num WHERE \(condition)"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: arguments) else { return nil }
        let number: Int64 = row["num"]
        let waiting = "SELECT COUNT(*) FROM inbox WHERE user = ?"
        let conversations = "SELECT COUNT(*) FROM members WHERE user = ?"
        return InspectedUser(
            id: UserID(rawValue: UInt64(bitPattern: row["id"])), handle: row["handle"],
            displayName: row["display_name"], createdAt: row["created_at"], lastSeen: row["last_seen"],
            epoch: Epoch(rawValue: UInt64(bitPattern: row["epoch"])), head: row["head"] ?? 0,
            truncated: row["truncated"] ?? 0,
            waiting: try Int.fetchOne(db, sql: waiting, arguments: [number]) ?? 0,
            conversations: try Int.fetchOne(db, sql: conversations, arguments: [number]) ?? 0,
            devices: try devices(db, of: number))
    }

    private static func devices(_ db: Database, of user: Int64) throws -> [InspectedDevice] {
        let sql =
            "SELECT * FROM devices JOIN cursors ON cursors.device = devices.num WHERE user = ? ORDER BY created_at"
        return try Row.fetchAll(db, sql: sql, arguments: [user]).map { row in
            let state: Int = row["state"]
            return InspectedDevice(
                id: DeviceID(rawValue: UInt64(bitPattern: row["id"])), name: row["name"], platform: row["platform"],
                cursor: row["position"], lastUsed: row["last_used"], isIdle: state == 1, isRevoked: state == 2)
        }
    }

    static func conversation(_ db: Database, _ id: ConversationID) throws -> Row? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM conversations WHERE high = ? AND low = ?",
            arguments: [Int64(bitPattern: id.high), Int64(bitPattern: id.low)])
    }

    private static func members(_ db: Database, of conversation: Int64) throws -> [InspectedMember] {
        let sql = "SELECT * FROM members JOIN users ON users.num = members.user WHERE conversation = ? ORDER BY handle"
        return try Row.fetchAll(db, sql: sql, arguments: [conversation]).map { row in
            InspectedMember(
                number: row["num"], user: UserID(rawValue: UInt64(bitPattern: row["id"])), handle: row["handle"],
                role: row["role"], delivered: row["delivered"], read: row["read"])
        }
    }

    /// Messages are found by walking back: from the next one that is in the index, or from the last.
    private static func message(_ db: Database, _ id: MessageID, in conversation: Row) throws -> Row? {
        let sequence = Int64(clamping: id.sequence.rawValue)
        let last: Int64 = conversation["last"]
        guard sequence <= last else { return nil }
        let indexed = "SELECT num FROM messages WHERE conversation = ? AND sequence % 32 = 0 AND sequence = ?"
        let arguments: StatementArguments = [conversation["num"] as Int64, (sequence + 31) / 32 * 32]
        let start = try Int64.fetchOne(db, sql: indexed, arguments: arguments) ?? conversation["last_message"] as Int64
        let walk = """
            WITH RECURSIVE chain (num, sequence, previous) AS (
                SELECT num, sequence, previous FROM messages WHERE num = ?
                UNION ALL
                SELECT m.num, m.sequence, m.previous FROM messages m JOIN chain ON m.num = chain.previous
                WHERE chain.sequence > ?
            )
            SELECT m.*, LENGTH(m.payload) AS bytes FROM chain JOIN messages m ON m.num = chain.num
            WHERE chain.sequence = ?
            """
        return try Row.fetchOne(db, sql: walk, arguments: [start, sequence, sequence])
    }
}
