#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An advisory lock on a file of its own, given back by the kernel when its process dies.
///
/// `flock` and not `fcntl` locks: those belong to the process and go when any descriptor of the file is closed.
final class FileLock: Sendable {
    private let descriptor: Int32

    init(path: String) throws(SystemFailure) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SystemFailure(code: errno, path: path) }
    }

    deinit { close(descriptor) }

    func lock() {
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    }

    /// Gives an exclusive lock up in favour of a shared one, or waits for one.
    func share() {
        while flock(descriptor, LOCK_SH) != 0, errno == EINTR {}
    }

    func tryLock() -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    func unlock() {
        flock(descriptor, LOCK_UN)
    }

    /// Whether the file says anything.
    var isMarked: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_size > 0
    }

    /// Writes a mark for those who come after, on disk when it returns, or removes it.
    func mark(_ isMarked: Bool) throws(SystemFailure) {
        let byte: [UInt8] = [UInt8(ascii: "1")]
        let isWritten = isMarked ? pwrite(descriptor, byte, 1, 0) == 1 : ftruncate(descriptor, 0) == 0
        guard isWritten, fsync(descriptor) == 0 else { throw SystemFailure(code: errno, path: "") }
    }
}

/// A system call that failed.
struct SystemFailure: Error, CustomStringConvertible {
    let code: Int32
    let path: String

    var description: String {
        path.isEmpty ? String(cString: strerror(code)) : "\(path): \(String(cString: strerror(code)))"
    }
}
