public import BatonCore
import GRDB

/// A message that a device called by a ref.
public struct InspectedRef: Hashable, Sendable {
    public let device: DeviceID
    public let user: UserID
    public let message: MessageID
    /// When it was accepted, in milliseconds since 1970.
    public let at: Int64
}

extension StoreInspector {
    /// The messages that any devices called so, the newest last. Refs are a device's own, so several may have used one.
    ///
    /// Refs are found by their device: each device is asked, which is a look into an index for each.
    public func messages(ref: String, limit: Int) throws(StoreError) -> [InspectedRef] {
        try read { db in
            let sql = """
                SELECT devices.id AS device, users.id AS user, conversations.high, conversations.low,
                    messages.sequence, messages.at
                FROM devices CROSS JOIN refs ON refs.device = devices.num AND refs.ref = ?
                JOIN messages ON messages.num = refs.message
                JOIN conversations ON conversations.num = messages.conversation
                JOIN users ON users.num = devices.user
                ORDER BY messages.at LIMIT ?
                """
            return try Row.fetchAll(db, sql: sql, arguments: [ref, limit]).map { row in
                let conversation = ConversationID(
                    high: UInt64(bitPattern: row["high"] as Int64), low: UInt64(bitPattern: row["low"] as Int64))
                return InspectedRef(
                    device: DeviceID(rawValue: UInt64(bitPattern: row["device"] as Int64)),
                    user: UserID(rawValue: UInt64(bitPattern: row["user"] as Int64)),
                    message: MessageID(
                        conversation: conversation,
                        sequence: ConversationSequence(rawValue: UInt64(clamping: row["sequence"] as Int64))),
                    at: row["at"])
            }
        }
    }
}
