import GRDBSQLite

/// A prepared statement of the hot path, stepped without GRDB's value boxes. Belongs to its connection's thread.
///
/// Every run ends with `reset`, also one that failed: a statement that is left in the middle keeps a read
/// transaction open.
final class HotStatement {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    init(_ connection: OpaquePointer, _ sql: String) throws(SQLiteFailure) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteFailure(code: code, connection: connection) }
        self.handle = handle
        self.connection = connection
    }

    deinit { sqlite3_finalize(handle) }

    // Binding cannot fail but for an index that is not there or for memory; the step would then say so.

    func bind(_ index: Int32, _ value: Int64) {
        sqlite3_bind_int64(handle, index, value)
    }

    func bind(_ index: Int32, text: String) {
        var text = text
        text.withUTF8 { bytes in
            _ = bytes.withMemoryRebound(to: CChar.self) { characters in
                sqlite3_bind_text64(
                    handle, index, characters.baseAddress ?? Self.empty, UInt64(characters.count), Self.copied,
                    UInt8(SQLITE_UTF8))
            }
        }
    }

    func bind(_ index: Int32, blob: [UInt8]) {
        blob.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress, !bytes.isEmpty {
                _ = sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), Self.copied)
            } else {
                _ = sqlite3_bind_zeroblob(handle, index, 0)
            }
        }
    }

    /// - Returns: whether there is a row.
    func step() throws(SQLiteFailure) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code:
            let failure = SQLiteFailure(code: sqlite3_extended_errcode(connection), connection: connection)
            reset()
            guard failure.code != SQLITE_OK else { throw SQLiteFailure(code: code, connection: connection) }
            throw failure
        }
    }

    func reset() {
        sqlite3_reset(handle)
    }

    /// Runs a statement that has no rows.
    func run() throws(SQLiteFailure) {
        _ = try step()
        reset()
    }

    /// Runs with integers for its arguments.
    func run(_ arguments: Int64...) throws(SQLiteFailure) {
        for (offset, argument) in arguments.enumerated() { bind(Int32(offset + 1), argument) }
        try run()
    }

    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func blob(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, column))))
    }

    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    nonisolated(unsafe) private static let empty: UnsafePointer<CChar> = {
        let nothing = UnsafeMutablePointer<CChar>.allocate(capacity: 1)
        nothing.initialize(to: 0)
        return UnsafePointer(nothing)
    }()
}
