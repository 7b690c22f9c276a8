import BatonCore
import GRDB

/// Removes what the nodes' own users say to each other, long before the messages of people go: nobody reads it again,
/// and a retention of `none` would keep it for ever.
extension SQLiteStore {
    /// Entries of the index of every 32nd message that one step looks at.
    private static let canaryEntries = 8

    func sweepCanaries(_ report: inout SweepReport) async throws(StoreError) {
        let conversations = try await read { connection throws in
            // From the prefix to what follows all that begins with it; both members of a direct conversation.
            try Int64.fetchAll(
                connection.database,
                sql: """
                    SELECT m.conversation FROM users u JOIN members m ON m.user = u.num
                    JOIN conversations c ON c.num = m.conversation
                    WHERE u.handle >= ?1 AND u.handle < ?1 || char(1114111) AND c.last > ?2
                    GROUP BY m.conversation HAVING count(*) = 2
                    """, arguments: [CanaryHandle.prefix, Limits.Canary.keptMessages])
        }
        for conversation in conversations {
            var hasMore = true
            while hasMore {
                let (removed, isDone) = try await step { db throws in
                    try Self.sweepCanary(conversation, in: db)
                }
                report.messagesRemoved += removed
                hasMore = !isDone
            }
        }
        try await sweepCanaryRefs(&report)
    }

    /// The oldest messages of a conversation, up to some entries of the index.
    private static func sweepCanary(_ conversation: Int64, in db: Database) throws -> (removed: Int, isDone: Bool) {
        let entries = try Int64.fetchAll(
            db,
            sql: """
                SELECT num FROM messages WHERE conversation = ?1 AND sequence % 32 = 0
                AND sequence <= (SELECT last FROM conversations WHERE num = ?1) - ?2 ORDER BY sequence LIMIT ?3
                """, arguments: [conversation, Limits.Canary.keptMessages, canaryEntries])
        var removed = 0
        for entry in entries {
            for num in try chain(from: entry, in: db).reversed() {
                // Who is behind is not to find a hole.
                if try isAwaited(num, needsDelivery: false, in: db) { return (removed, true) }
                try db.execute(sql: "DELETE FROM messages WHERE num = ?", arguments: [num])
                removed += 1
            }
        }
        return (removed, entries.count < canaryEntries)
    }

    /// A message and those before it, as far as they are there.
    private static func chain(from entry: Int64, in db: Database) throws -> [Int64] {
        var nums: [Int64] = []
        var next: Int64? = entry
        while let num = next, nums.count < 32 {
            next = try Int64.fetchOne(db, sql: "SELECT previous FROM messages WHERE num = ?", arguments: [num])
            if next != nil { nums.append(num) }
        }
        return nums
    }

    /// The names of the messages that are gone. A canary sends none of them again.
    private func sweepCanaryRefs(_ report: inout SweepReport) async throws(StoreError) {
        while true {
            let removed = try await step { db throws in
                try db.execute(
                    sql: """
                        DELETE FROM refs WHERE (device, ref) IN (
                            SELECT r.device, r.ref FROM users u JOIN devices d ON d.user = u.num
                            JOIN refs r ON r.device = d.num
                            WHERE u.handle >= ?1 AND u.handle < ?1 || char(1114111)
                            AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.num = r.message) LIMIT ?2)
                        """, arguments: [CanaryHandle.prefix, Self.sweepRows])
                return db.changesCount
            }
            report.refsRemoved += removed
            if removed < Self.sweepRows { return }
        }
    }
}
