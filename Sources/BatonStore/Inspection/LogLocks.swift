#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Which processes hold the locks by which SQLite's connections share a log, at one moment.
///
/// They are locks on bytes of the `-shm` file beside the database, and what readers read is written there: SQLite
/// documents both as its WAL-index format. Where a lock was held and a reader's place stood still between two looks,
/// somebody holds the log.
public struct LogLocks: Hashable, Sendable {
    /// A process that reads a state of the database.
    public struct Reader: Hashable, Sendable {
        public let pid: Int32
        /// Frames of the log that it sees.
        public let mark: UInt32

        public init(pid: Int32, mark: UInt32) {
            self.pid = pid
            self.mark = mark
        }
    }

    /// The process that may write.
    public let writer: Int32?
    /// Those that see less than the whole log.
    public let readers: Set<Reader>
    /// Frames of the whole log.
    let frames: UInt32

    public init(writer: Int32?, readers: Set<Reader>, frames: UInt32 = 0) {
        self.writer = writer
        self.readers = readers
        self.frames = frames
    }

    /// A look at a store's file.
    ///
    /// It opens and closes the file of the locks, by which a process loses its own: not for one that has the database open.
    public init(path: String) {
        let file = path + "-shm"
        guard let status = Self.status(of: file), let bytes = Self.contents(of: "/proc/locks", upTo: Self.listBytes),
            let header = Self.contents(of: file, upTo: Self.headerBytes)
        else {
            self.init(writer: nil, readers: [])
            return
        }
        self.init(
            locks: String(decoding: bytes, as: UTF8.self), inode: UInt64(status.st_ino),
            device: Self.device(UInt64(status.st_dev)), header: header)
    }

    /// - Parameters:
    ///   - locks: what `/proc/locks` says.
    ///   - header: the beginning of the `-shm` file.
    init(locks: String, inode: UInt64, device: (major: UInt32, minor: UInt32), header: [UInt8]) {
        var writer: Int32?
        var readers: Set<Reader> = []
        let frames = Self.integer(header, at: 16)
        for line in locks.split(separator: "\n") {
            // `3: POSIX  ADVISORY  READ 4711 fe:00:123456 124 124`, but not `3: -> POSIX ...`, which waits.
            let words = line.split(separator: " ")
            guard words.count == 8, words[1] == "POSIX", let pid = Int32(words[4]), let first = Int(words[6]) else {
                continue
            }
            let place = words[5].split(separator: ":")
            guard place.count == 3, UInt32(place[0], radix: 16) == device.major,
                UInt32(place[1], radix: 16) == device.minor, UInt64(place[2]) == inode
            else { continue }
            let bytes = first...max(first, Int(words[7]) ?? first)
            if words[3] == "WRITE", bytes.contains(Self.writeByte) { writer = pid }
            guard words[3] == "READ" else { continue }
            for slot in 0..<Self.slots where bytes.contains(Self.readByte + slot) {
                let mark = Self.integer(header, at: 100 + 4 * slot)
                if mark < frames { readers.insert(Reader(pid: pid, mark: mark)) }
            }
        }
        self.init(writer: writer, readers: readers, frames: frames)
    }

    /// What is as it was at an earlier look: a writer that has written nothing, and readers that read on.
    public func held(since earlier: LogLocks) -> LogLocks {
        LogLocks(
            writer: writer == earlier.writer && frames == earlier.frames ? writer : nil,
            readers: readers.intersection(earlier.readers), frames: frames)
    }

    private static let writeByte = 120
    private static let readByte = 123
    private static let slots = 5
    private static let headerBytes = 136
    private static let listBytes = 16 * 1024 * 1024

    private static func integer(_ bytes: [UInt8], at offset: Int) -> UInt32 {
        guard bytes.count >= offset + 4 else { return 0 }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
    }

    /// As Linux puts the two numbers of a device into one.
    private static func device(_ number: UInt64) -> (major: UInt32, minor: UInt32) {
        (
            UInt32(truncatingIfNeeded: (number >> 8) & 0xFFF | (number >> 32) & 0xFFFF_F000),
            UInt32(truncatingIfNeeded: number & 0xFF | (number >> 12) & 0xFFFF_FF00)
        )
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    private static func contents(of path: String, upTo limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count < limit {
            let count = read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
