import BatonCore
import GRDB
import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What SQLite said when a call failed. Holds no arguments, so that it may be logged.
struct SQLiteFailure: Error, CustomStringConvertible {
    /// The extended result code.
    let code: Int32
    let message: String
    let systemError: Int32

    init(code: Int32, connection: OpaquePointer?) {
        self.code = code
        message = String(cString: sqlite3_errstr(code))
        systemError = connection.map { sqlite3_system_errno($0) } ?? 0
    }

    init(_ failure: SystemFailure) {
        code = SQLITE_IOERR
        message = String(cString: sqlite3_errstr(SQLITE_IOERR))
        systemError = failure.code
    }

    init(_ error: any Error) {
        if let failure = error as? SQLiteFailure {
            self = failure
        } else if let failure = error as? DatabaseError {
            code = failure.extendedResultCode.rawValue
            message = failure.message ?? String(cString: sqlite3_errstr(code))
            systemError = 0
        } else {
            code = SQLITE_ERROR
            message = String(describing: type(of: error))
            systemError = 0
        }
    }

    var description: String {
        systemError == 0
            ? "\(message) (SQLite \(code))" : "\(message) (SQLite \(code), \(String(cString: strerror(systemError))))"
    }

    /// The code without its extension.
    var primaryCode: Int32 { code & 0xff }

    /// The same for those who use the store.
    var storeError: StoreError {
        let isFull = primaryCode == SQLITE_FULL || (primaryCode == SQLITE_IOERR && systemError == ENOSPC)
        return isFull ? .diskFull : .unavailable(description)
    }
}
