import GRDB

extension StoreInspector {
    /// How a node's writing connection to the file works: the journal's mode and the level of `synchronous` (2 is FULL).
    /// The file must be there.
    public static func modes(path: String) throws(StoreOpenError) -> (journal: String, synchronous: Int) {
        do {
            return try Connections(settings: StoreSettings(path: path)).writer().inDatabase { db in
                (
                    journal: try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "",
                    synchronous: try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
                )
            }
        } catch {
            throw .unusable(path: path, reason: SQLiteFailure(error).description)
        }
    }
}
