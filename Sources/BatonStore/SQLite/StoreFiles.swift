#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The files of a store, which hold messages and hashes of passwords: nobody but their owner may read them.
public enum StoreFiles {
    /// What follows the path in the names of the files: the database's own, SQLite's, those of the locks, and that of the
    /// processes that use it.
    public static let suffixes = ["", "-wal", "-shm", "-gate", "-lock", "-alive", "-sweep", "-peers"]

    /// A file that others than its owner could read or write.
    public struct Exposed: Hashable, Sendable {
        public let path: String
        public let mode: UInt32
        /// Whether it is its owner's only from now on.
        public let isTightened: Bool
    }

    /// To be called before SQLite opens the database: makes the file where there is none, and takes from others what they
    /// may do with those that are there. SQLite gives the files beside it the same mode.
    static func tighten(path: String) throws(SystemFailure) -> [Exposed] {
        // A file that is there is not opened: to close it would give up the locks that this process has on it.
        if access(path, F_OK) != 0 {
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            if descriptor >= 0 {
                close(descriptor)
            } else if errno != EEXIST {
                throw SystemFailure(code: errno, path: path)
            }
        }
        return suffixes.compactMap { suffix in
            let file = path + suffix
            guard let mode = mode(of: file), mode & 0o077 != 0 else { return nil }
            return Exposed(path: file, mode: mode, isTightened: chmod(file, 0o600) == 0)
        }
    }

    /// The permissions of a file; nil where there is none.
    public static func mode(of path: String) -> UInt32? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return status.st_mode & 0o7777
    }
}
