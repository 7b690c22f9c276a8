public import BatonCore
import GRDB

/// Numbers for operators.
extension SQLiteStore {
    /// How many events stand in inboxes, which is what some active device has not acknowledged: counted up to a bound, so
    /// that the answer to "how much waits" never becomes part of the problem.
    public func inboxEvents(upTo bound: Int) async throws(StoreError) -> Int {
        try await read { connection throws in
            try Int.fetchOne(
                connection.database, sql: "SELECT count(*) FROM (SELECT 1 FROM inbox LIMIT ?)", arguments: [bound]) ?? 0
        }
    }
}
