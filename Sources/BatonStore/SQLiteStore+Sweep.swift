public import BatonCore
import Foundation
import GRDB
import Logging

/// Removes what is too old, in small steps through the writer, so that nobody waits for it.
extension SQLiteStore {
    /// Rows that one step looks at.
    static let sweepRows = 256

    /// Sweeps now and then, until its task is cancelled or the store is closed.
    public func run() async {
        guard settings.sweepSeconds > 0 else { return }
        while !Task.isCancelled {
            do {
                try await ContinuousClock().sleep(for: .seconds(settings.sweepSeconds))
            } catch {
                return
            }
            do throws(StoreError) {
                _ = try await sweep()
            } catch .closed {
                return
            } catch {
                logger.warning("A sweep failed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// One sweep through everything. Only one process sweeps at a time; another's attempt does nothing.
    @discardableResult
    public func sweep() async throws(StoreError) -> SweepReport {
        let lock: FileLock
        do {
            lock = try FileLock(path: settings.path + "-sweep")
        } catch {
            throw .unavailable(error.description)
        }
        guard lock.tryLock() else { return SweepReport() }
        defer { lock.unlock() }
        var report = SweepReport()
        report.devicesIdled = try await idleDevices()
        try await sweepCanaries(&report)
        try await sweepMessages(&report)
        try await sweepRefs(&report)
        observer.swept(report)
        return report
    }

    func step<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        try await write(failure: { $0 }) { db throws in .success(try body(db)) }
    }

    private func milliseconds(daysAgo days: Int) -> Int64 {
        clock.now.advanced(byMilliseconds: -Int64(clamping: days) * 86_400_000).milliseconds
    }

    // MARK: Devices

    /// A device that was not used for long no longer holds its user's inbox back.
    private func idleDevices() async throws(StoreError) -> Int {
        let cutoff = milliseconds(daysAgo: Limits.Store.idleDeviceDays)
        var last: Int64 = 0
        var count = 0
        while true {
            let devices = try await read { [last] connection throws in
                try Row.fetchAll(
                    connection.database,
                    sql: """
                        SELECT c.device, d.user FROM cursors c JOIN devices d ON d.num = c.device
                        WHERE c.device > ? AND c.state = 0 AND c.last_used < ? ORDER BY c.device LIMIT ?
                        """, arguments: [last, cutoff, Self.sweepRows]
                ).map { (device: $0["device"] as Int64, user: $0["user"] as Int64) }
            }
            guard let end = devices.last else { return count }
            last = end.device
            count += try await step { db throws in
                var changed = 0
                for (device, user) in devices {
                    // It may have been used since.
                    try db.execute(
                        sql: "UPDATE cursors SET state = 1 WHERE device = ? AND state = 0 AND last_used < ?",
                        arguments: [device, cutoff])
                    guard db.changesCount == 1 else { continue }
                    changed += 1
                    try Devices.recount(of: user, in: db)
                }
                return changed
            }
        }
    }

    // MARK: Messages

    /// What a sweep of messages may do to those of an age.
    private struct Cutoffs: Sendable {
        /// Contents older than this go.
        let content: Int64
        /// Whole messages older than this go; never before their refs are forgotten.
        let row: Int64
        /// Contents go only once everybody has them.
        let needsDelivery: Bool
    }

    private var cutoffs: Cutoffs? {
        let refs = milliseconds(daysAgo: Limits.Message.refDays)
        switch settings.retention {
        case .unlimited: return nil
        case .onDelivery: return Cutoffs(content: clock.now.milliseconds + 1, row: refs, needsDelivery: true)
        case .days(let days):
            let content = milliseconds(daysAgo: max(0, days))
            return Cutoffs(content: content, row: min(content, refs), needsDelivery: false)
        }
    }

    private func sweepMessages(_ report: inout SweepReport) async throws(StoreError) {
        guard let cutoffs else { return }
        var last: Int64 = 0
        while true {
            let (end, removed, emptied) = try await step { [last] db throws in
                try Self.sweepMessages(after: last, cutoffs, in: db)
            }
            report.messagesRemoved += removed
            report.messagesEmptied += emptied
            guard let end else { return }
            last = end
        }
    }

    /// - Returns: the last number looked at; nil where nothing old is left behind it.
    private static func sweepMessages(
        after last: Int64, _ cutoffs: Cutoffs, in db: Database
    ) throws -> (end: Int64?, removed: Int, emptied: Int) {
        // Numbers rise with time, so the old ones come first. The newest stays: numbers are counted on from it.
        let rows = try Row.fetchAll(
            try db.cachedStatement(
                sql: """
                    SELECT num, at, payload FROM messages m WHERE num > ?1 AND at < ?2
                    AND num < (SELECT max(num) FROM messages) ORDER BY num LIMIT ?3
                    """), arguments: [last, cutoffs.content, sweepRows])
        var (removed, emptied) = (0, 0)
        for row in rows {
            let num: Int64 = row["num"]
            if try isAwaited(num, needsDelivery: cutoffs.needsDelivery, in: db) { continue }
            let at: Int64 = row["at"]
            if at < cutoffs.row {
                try db.cachedStatement(sql: "DELETE FROM messages WHERE num = ?").execute(arguments: [num])
                removed += 1
            } else if let payload: Data = row["payload"] {
                try db.cachedStatement(sql: "UPDATE messages SET payload = NULL, digest = ? WHERE num = ?")
                    .execute(arguments: [PayloadDigest.of(Array(payload)), num])
                emptied += 1
            }
        }
        return (rows.last?["num"], removed, emptied)
    }

    /// Whether some inbox still refers to a message, or to an older one before it. A conversation's contents go in
    /// their order only: its history is a chain, and what is left of it must hang together.
    static func isAwaited(_ num: Int64, needsDelivery: Bool, in db: Database) throws -> Bool {
        let statement = try db.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM messages m JOIN members r ON r.conversation = m.conversation
                WHERE m.num = ?1 AND ((SELECT i.message FROM inbox i WHERE i.user = r.user AND i.message IS NOT NULL
                    ORDER BY i.sequence LIMIT 1) <= ?1
                    OR (?2 AND r.user <> m.sender AND r.delivered < m.sequence)
                    OR EXISTS (SELECT 1 FROM messages p WHERE p.num = m.previous AND p.payload IS NOT NULL)))
                """)
        return try Bool.fetchOne(statement, arguments: [num, needsDelivery]) ?? false
    }

    // MARK: Refs

    /// Names of messages that are no longer recognised, device by device.
    private func sweepRefs(_ report: inout SweepReport) async throws(StoreError) {
        let cutoff = milliseconds(daysAgo: Limits.Message.refDays)
        // Numbers rise with time: everything before this one is old. Where all is old, what comes meanwhile is not.
        let end = try await read { connection throws in
            try Int64.fetchOne(
                connection.database,
                sql: """
                    SELECT ifnull((SELECT num FROM messages WHERE at >= ? ORDER BY num LIMIT 1),
                        (SELECT max(num) + 1 FROM messages))
                    """, arguments: [cutoff])
        }
        guard let end else { return }
        var device: Int64 = 0
        while true {
            let (next, removed) = try await step { [device] db throws in
                try Self.sweepRefs(from: device, before: end, in: db)
            }
            report.refsRemoved += removed
            guard let next else { return }
            device = next
        }
    }

    private static func sweepRefs(
        from device: Int64, before num: Int64, in db: Database
    ) throws -> (next: Int64?, removed: Int) {
        let statement = try db.cachedStatement(
            sql: """
                DELETE FROM refs WHERE (device, ref) IN
                    (SELECT device, ref FROM refs WHERE device = ?1 AND message < ?2 LIMIT ?3)
                """)
        try statement.execute(arguments: [device, num, sweepRows])
        let removed = db.changesCount
        // More of the same device, or the next one.
        let next =
            removed == sweepRows
            ? device
            : try Int64.fetchOne(
                db, sql: "SELECT device FROM refs WHERE device > ? ORDER BY device LIMIT 1", arguments: [device])
        return (next, removed)
    }
}
