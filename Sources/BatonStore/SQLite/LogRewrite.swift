#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Brings the whole write-ahead log to the disk once more.
///
/// A kernel that could not write a page tells it to one sync and then takes the page for written: the next sync
/// succeeds without it, and what is read from memory is not what a loss of power would leave. What a failed sync was
/// for is therefore not synced again but written again. The bytes stay the same, so readers notice nothing; the caller
/// sees to it that nobody writes.
enum LogRewrite {
    private static let chunkBytes = 1 << 20

    static func run(path: String) throws(SystemFailure) {
        let log = path + "-wal"
        let descriptor = open(log, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            // Without a log there is nothing that could be missing.
            guard errno != ENOENT else { return }
            throw SystemFailure(code: errno, path: log)
        }
        // No lock goes with it: SQLite's are on the database and its index of the log.
        defer { close(descriptor) }
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &chunk, chunkBytes, offset)
            if count == 0 { break }
            guard count > 0, pwrite(descriptor, chunk, count, offset) == count else {
                throw SystemFailure(code: errno, path: log)
            }
            offset += off_t(count)
        }
        guard fsync(descriptor) == 0 else { throw SystemFailure(code: errno, path: log) }
    }
}
