package import BatonCore
import Crypto
import Foundation
import Glibc

/// Where the nodes of a host keep their signing keys: a JSON list of `{"kid", "seed", "created"}`, readable by its
/// owner only. The first node makes it; the others, also those that start at the same instant, find it.
package enum SigningKeyFile {
    /// Bytes of such a file at most.
    static let maximumBytes = 64 * 1024

    private struct Entry: Codable {
        let kid: String
        /// The private key's 32 bytes in base 64.
        let seed: String
        let created: Date
    }

    /// Reads the keys, after having made the file with one new key where there was none.
    package static func loadOrCreate(path: String, now: Timestamp) throws(SigningKeyError) -> SigningKeys {
        if access(path, F_OK) != 0, errno == ENOENT { try create(path: path, now: now) }
        return try load(path: path)
    }

    package static func load(path: String) throws(SigningKeyError) -> SigningKeys {
        let bytes = try contents(path: path)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        guard let entries = try? decoder.decode([Entry].self, from: Data(bytes)) else {
            throw .malformed(path, "it is no JSON list of {\"kid\", \"seed\", \"created\"}")
        }
        var keys: [SigningKeys.Key] = []
        for entry in entries {
            let milliseconds = entry.created.timeIntervalSince1970 * 1_000
            guard let seed = Data(base64Encoded: entry.seed), let whole = Int64(exactly: milliseconds.rounded()),
                let key = SigningKeys.Key(
                    id: entry.kid, seed: [UInt8](seed), created: Timestamp(milliseconds: whole))
            else {
                throw .malformed(path, "the seed of key \"\(entry.kid.prefix(64))\" is not 32 bytes in base 64")
            }
            keys.append(key)
        }
        guard let result = SigningKeys(keys) else {
            throw .malformed(path, "it needs 1 to \(SigningKeys.limit) keys with different ids")
        }
        return result
    }

    /// Makes a complete file aside and gives it its name with `link`, which fails where another node was faster: so
    /// nobody ever sees half a file, and all nodes sign with the same key.
    private static func create(path: String, now: Timestamp) throws(SigningKeyError) {
        let key = SigningKeys.Key.random(created: now)
        let entry = Entry(
            kid: key.id, seed: key.privateKey.rawRepresentation.base64EncodedString(),
            created: Date(timeIntervalSince1970: Double(now.milliseconds / 1_000)))
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let text = try? encoder.encode([entry]) else { throw .unwritable(path, errno: EINVAL) }

        let draft = "\(path).\(getpid()).\(key.id)"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(draft, errno: errno) }
        defer { unlink(draft) }
        let written = text.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let isSynced = written == text.count && fsync(descriptor) == 0
        let failure = errno
        close(descriptor)
        guard isSynced else { throw .unwritable(draft, errno: failure) }
        guard link(draft, path) == 0 || errno == EEXIST else { throw .unwritable(path, errno: errno) }
    }

    private static func contents(path: String) throws(SigningKeyError) -> [UInt8] {
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
            throw .malformed(path, "it is no file of at most \(maximumBytes) bytes")
        }
        guard permissions & 0o077 == 0 else { throw .exposed(path) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                read(descriptor, buffer.baseAddress! + count, buffer.count - count)
            }
            guard got >= 0 else { throw .unreadable(path, errno: errno) }
            guard got > 0 else { break }
            count += got
        }
        return Array(bytes.prefix(count))
    }
}

package enum SigningKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(String, errno: Int32)
    case unwritable(String, errno: Int32)
    /// Others than its owner may read it.
    case exposed(String)
    case malformed(String, String)

    package var description: String {
        switch self {
        case .unreadable(let path, let code):
            "the signing keys cannot be read from \(path): \(String(cString: strerror(code)))"
        case .unwritable(let path, let code):
            "the signing keys cannot be written to \(path): \(String(cString: strerror(code)))"
        case .exposed(let path):
            "others than its owner may read the signing keys in \(path); make it mode 0600, and rotate them"
        case .malformed(let path, let reason): "the signing keys in \(path) are malformed: \(reason)"
        }
    }
}
