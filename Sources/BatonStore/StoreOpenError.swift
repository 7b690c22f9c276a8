/// Why a store could not be opened. None of these goes away by trying again at once.
public enum StoreOpenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file was written by a newer Baton.
    case newerSchema(path: String)
    /// The integrity check after an unclean stop found damage.
    case damaged(path: String, findings: [String])
    /// The file, its folder or one of the files beside it cannot be used.
    case unusable(path: String, reason: String)

    public var description: String {
        switch self {
        case .newerSchema(let path):
            "\(path) has a newer schema than this version knows: start the version that wrote it, or a newer one"
        case .damaged(let path, let findings):
            "\(path) is damaged, restore it from a backup; the check found: \(findings.joined(separator: "; "))"
        case .unusable(let path, let reason):
            "\(path) cannot be used: \(reason)"
        }
    }
}

/// What opening a store is doing, for people who wait.
public enum StoreOpenProgress: Hashable, Sendable {
    /// Another process has the store open exclusively for a moment.
    case waitingForLock
    /// The processes before were killed: the database is checked, table by table.
    case checkingIntegrity(table: String, number: Int, of: Int)
    case migrating
}
