public import BatonCore
import Foundation
import GRDB

/// One of a conversation's last messages.
public struct InspectedEntry: Hashable, Sendable {
    public let sequence: Int64
    public let sender: UserID?
    /// Milliseconds since 1970.
    public let at: Int64
    /// As the protocol's module encoded it; nil where retention took it.
    public let payload: [UInt8]?
}

extension StoreInspector {
    /// The last messages of a conversation, ascending; empty where there is no such conversation.
    public func lastMessages(of id: ConversationID, limit: Int) throws(StoreError) -> [InspectedEntry] {
        try read { db in
            guard let conversation = try Self.conversation(db, id) else { return [] }
            let walk = """
                WITH RECURSIVE chain (num, previous, count) AS (
                    SELECT num, previous, 1 FROM messages WHERE num = ?
                    UNION ALL
                    SELECT m.num, m.previous, chain.count + 1 FROM messages m JOIN chain ON m.num = chain.previous
                    WHERE chain.count < ?
                )
                SELECT m.sequence, m.at, m.payload, users.id AS sender
                FROM chain JOIN messages m ON m.num = chain.num LEFT JOIN users ON users.num = m.sender
                ORDER BY m.sequence
                """
            return try Row.fetchAll(db, sql: walk, arguments: [conversation["last_message"] as Int64, limit]).map {
                row in
                let sender: Int64? = row["sender"]
                let payload: Data? = row["payload"]
                return InspectedEntry(
                    sequence: row["sequence"], sender: sender.map { UserID(rawValue: UInt64(bitPattern: $0)) },
                    at: row["at"], payload: payload.map { Array($0) })
            }
        }
    }
}
