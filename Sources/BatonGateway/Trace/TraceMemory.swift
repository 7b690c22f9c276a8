import Glibc

/// The memory of a ring: a file's, shared with it, or the process' own.
///
/// A file that is mapped outlives the process that writes to it, also when that is killed: the kernel has the pages. It is
/// allocated in full before it is mapped, because a page that the file system cannot provide later would end the process.
final class TraceMemory {
    let base: UnsafeMutableRawPointer
    let count: Int

    struct Failure: Error, CustomStringConvertible {
        let step: String
        let code: Int32
        var description: String { "\(step): \(String(cString: strerror(code)))" }
    }

    private init(base: UnsafeMutableRawPointer, count: Int) {
        self.base = base
        self.count = count
    }

    deinit { munmap(base, count) }

    /// Zeroes that belong to this process alone.
    static func anonymous(count: Int) throws(Failure) -> TraceMemory {
        try map(count, flags: MAP_PRIVATE | MAP_ANONYMOUS, descriptor: -1)
    }

    /// A new file of zeroes, readable by its owner only.
    static func file(_ path: String, count: Int) throws(Failure) -> TraceMemory {
        unlink(path)
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Failure(step: "making \(path)", code: errno) }
        defer { close(descriptor) }
        let code = posix_fallocate(descriptor, 0, off_t(count))
        guard code == 0 else {
            unlink(path)
            throw Failure(step: "allocating \(path)", code: code)
        }
        do throws(Failure) {
            return try map(count, flags: MAP_SHARED, descriptor: descriptor)
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Populated at once, so that a ring that fills does not look like memory that leaks.
    private static func map(_ count: Int, flags: Int32, descriptor: Int32) throws(Failure) -> TraceMemory {
        let base = mmap(nil, count, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, descriptor, 0)
        guard let base, base != MAP_FAILED else { throw Failure(step: "mapping \(count) bytes", code: errno) }
        return TraceMemory(base: base, count: count)
    }
}

@available(*, unavailable) extension TraceMemory: Sendable {}
