import Foundation
import Glibc

/// A file that the nodes of a host share and nobody else may read. The first node makes it; the others, also those that
/// start at the same instant, find it.
package enum SecretFile {
    package static func exists(path: String) -> Bool {
        access(path, F_OK) == 0 || errno != ENOENT
    }

    /// Makes a complete file aside and gives it its name with `link`, which fails where another node was faster: so
    /// nobody ever sees half a file, and all nodes read the same one. Ends well where the file is there already.
    ///
    /// - Parameter nonce: tells the draft from those of others.
    package static func create(path: String, contents: [UInt8], nonce: String) throws(SecretFileError) {
        let draft = "\(path).\(getpid()).\(nonce)"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(draft, errno: errno) }
        defer { unlink(draft) }
        let written = contents.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isSynced = written == contents.count && fsync(descriptor) == 0
        let failure = errno
        close(descriptor)
        guard isSynced else { throw .unwritable(draft, errno: failure) }
        guard link(draft, path) == 0 || errno == EEXIST else { throw .unwritable(path, errno: errno) }
    }

    /// Reads a file of its owner's, of at most `maximumBytes`.
    package static func contents(path: String, maximumBytes: Int) throws(SecretFileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(path, errno: errno) }
        defer { close(descriptor) }
        // Not fstat: which module its structure belongs to differs between debug and release builds.
        let target = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let status = try? FileManager.default.attributesOfItem(atPath: target),
            let permissions = (status[.posixPermissions] as? NSNumber)?.uint16Value
        else { throw .unreadable(path, errno: errno) }
        let size = (status[.size] as? NSNumber)?.intValue ?? 0
        guard status[.type] as? FileAttributeType == .typeRegular, size <= maximumBytes else {
            throw .notAFile(path, maximumBytes: maximumBytes)
        }
        guard permissions & 0o077 == 0 else { throw .exposed(path) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            guard got >= 0 else { throw .unreadable(path, errno: errno) }
            guard got > 0 else { break }
            count += got
        }
        return Array(bytes.prefix(count))
    }
}

package enum SecretFileError: Error, Hashable, Sendable {
    case unreadable(String, errno: Int32)
    case unwritable(String, errno: Int32)
    /// Others than its owner may read it.
    case exposed(String)
    case notAFile(String, maximumBytes: Int)
}
