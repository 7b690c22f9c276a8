import GRDB

/// Looks for damage, table by table so that one can say how far it is.
enum IntegrityCheck {
    /// Findings that are reported; a damaged file has thousands.
    private static let findingLimit = 20

    static func run(
        on queue: DatabaseQueue, path: String, progress: (StoreOpenProgress) -> Void
    ) throws {
        try queue.inDatabase { db in
            let tables = try Schema.tables.filter { try db.tableExists($0) }
            for (index, table) in tables.enumerated() {
                progress(.checkingIntegrity(table: table, number: index + 1, of: tables.count))
                let findings = try String.fetchAll(db, sql: "PRAGMA quick_check(\(table))")
                guard findings == ["ok"] else {
                    throw StoreOpenError.damaged(path: path, findings: Array(findings.prefix(findingLimit)))
                }
            }
        }
    }
}
