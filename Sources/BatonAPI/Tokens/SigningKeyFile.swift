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
        if !SecretFile.exists(path: path) { try create(path: path, now: now) }
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

    private static func create(path: String, now: Timestamp) throws(SigningKeyError) {
        let key = SigningKeys.Key.random(created: now)
        let entry = Entry(
            kid: key.id, seed: key.privateKey.rawRepresentation.base64EncodedString(),
            created: Date(timeIntervalSince1970: Double(now.milliseconds / 1_000)))
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let text = try? encoder.encode([entry]) else { throw .unwritable(path, errno: EINVAL) }
        do {
            try SecretFile.create(path: path, contents: Array(text), nonce: key.id)
        } catch {
            throw SigningKeyError(error)
        }
    }

    private static func contents(path: String) throws(SigningKeyError) -> [UInt8] {
        do {
            return try SecretFile.contents(path: path, maximumBytes: maximumBytes)
        } catch {
            throw SigningKeyError(error)
        }
    }
}

package enum SigningKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    case unreadable(String, errno: Int32)
    case unwritable(String, errno: Int32)
    /// Others than its owner may read it.
    case exposed(String)
    case malformed(String, String)

    init(_ error: SecretFileError) {
        switch error {
        case .unreadable(let path, let code): self = .unreadable(path, errno: code)
        case .unwritable(let path, let code): self = .unwritable(path, errno: code)
        case .exposed(let path): self = .exposed(path)
        case .notAFile(let path, let bytes): self = .malformed(path, "it is no file of at most \(bytes) bytes")
        }
    }

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
