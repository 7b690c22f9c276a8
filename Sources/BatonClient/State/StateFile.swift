import Foundation
import Synchronization

/// The file in which a client keeps its outbox, its place in the inbox and its tokens.
///
/// Append-only, synced before an append returns, rewritten when most of it is history. A crash leaves at most a torn
/// record at the end, which is cut off when the file is opened. One process at a time: the file is locked.
///
/// It blocks its caller; the client calls it from a thread that may wait.
final class StateFile: Sendable {
    private struct Open: ~Copyable {
        var descriptor: Int32
        var count: Int
        var contents: StateContents
        /// The end of the file is not known to be whole: nothing may be written behind it.
        var isBroken = false

        deinit { Foundation.close(descriptor) }
    }

    /// Below this size a file is never rewritten.
    static let compactedAbove = 1024 * 1024

    let path: String
    private let compactedAbove: Int
    private let open: Mutex<Open?>

    /// Opens or creates the file, readable by its owner only: it holds tokens.
    init(path: String, compactedAbove: Int = StateFile.compactedAbove) throws(ClientError) {
        self.path = path
        self.compactedAbove = compactedAbove
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        var file = Open(descriptor: descriptor, count: 0, contents: StateContents())
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw .stateFile("\(path) is used by another client")
        }
        let bytes = try Self.readAll(descriptor, path)
        while case .record(let record, let end) = StateRecord.read(bytes, at: file.count) {
            file.contents.apply(record)
            file.count = end
        }
        if file.count < bytes.count {
            guard ftruncate(descriptor, off_t(file.count)) == 0, fsync(descriptor) == 0 else {
                throw Self.failure("truncate", path)
            }
        }
        open = Mutex(consume file)
    }

    /// What the file says now.
    var contents: StateContents { open.withLock { $0?.contents ?? StateContents() } }

    /// The file's size, for tests and for people.
    var bytes: Int { open.withLock { $0?.count ?? 0 } }

    /// Writes the records and syncs them. They are all kept, or none.
    func append(_ records: [StateRecord]) throws(ClientError) {
        var bytes: [UInt8] = []
        do {
            for record in records { try record.append(to: &bytes) }
        } catch {
            throw .stateFile("a record cannot be encoded: \(error)")
        }
        let result = open.withLock { (file) -> Result<Void, ClientError> in
            Result { () throws(ClientError) in
                guard file != nil else { throw .closed }
                try self.append(bytes, records, to: &file!)
            }
        }
        try result.get()
    }

    /// Closes it; what was appended is kept.
    func close() {
        open.withLock { $0 = nil }
    }

    private func append(_ bytes: [UInt8], _ records: [StateRecord], to file: inout Open) throws(ClientError) {
        guard !file.isBroken else { throw .stateFile("\(path) could not be repaired after an error") }
        guard Self.write(bytes, to: file.descriptor, at: file.count), fsync(file.descriptor) == 0 else {
            let failure = Self.failure("write", path)
            file.isBroken = ftruncate(file.descriptor, off_t(file.count)) != 0
            throw failure
        }
        file.count += bytes.count
        for record in records { file.contents.apply(record) }
        if file.count > compactedAbove { compact(&file) }
    }

    /// Rewrites the file beside itself and moves it in place, where that makes it much smaller. A failure changes
    /// nothing: the long file says the same.
    private func compact(_ file: inout Open) {
        var bytes: [UInt8] = []
        guard (try? file.contents.records.forEach { try $0.append(to: &bytes) }) != nil, bytes.count * 4 < file.count
        else { return }
        let temporary = path + ".new"
        let descriptor = Foundation.open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let next = Open(descriptor: descriptor, count: bytes.count, contents: file.contents)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.write(bytes, to: descriptor, at: 0),
            fsync(descriptor) == 0, rename(temporary, path) == 0
        else {
            unlink(temporary)
            return
        }
        Self.syncDirectory(of: path)
        file = next
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32, at offset: Int) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = buffer[written...]
                let count = pwrite(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, off_t(offset + written))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                written += count
            }
            return true
        }
    }

    private static func readAll(_ descriptor: Int32, _ path: String) throws(ClientError) -> [UInt8] {
        var bytes: [UInt8] = []
        var page = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &page, page.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: page[..<count])
        }
    }

    /// A rename is durable once its directory is.
    private static func syncDirectory(of path: String) {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = Foundation.open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        Foundation.close(descriptor)
    }

    private static func failure(_ action: String, _ path: String) -> ClientError {
        .stateFile("\(action) \(path): \(String(cString: strerror(errno)))")
    }
}
