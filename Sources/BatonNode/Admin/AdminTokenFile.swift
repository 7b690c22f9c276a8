import BatonAPI
import Foundation
import Glibc

/// Where the nodes of a host keep the admin token: one line, readable by its owner only. The first node makes it.
package enum AdminTokenFile {
    static let defaultName = "baton-admin.token"
    /// Bytes of such a file at most: a token and a line's end, or some spaces.
    static let maximumBytes = 1_024
    /// Bytes of chance in a token that a node makes.
    private static let randomBytes = 32

    /// Reads the token, after having made the file with a new one where there was none.
    package static func loadOrCreate(path: String) throws(AdminTokenError) -> AdminToken {
        if !SecretFile.exists(path: path) {
            let text = Base64.url(SecureRandom.bytes(randomBytes)) + "\n"
            do throws(SecretFileError) {
                try SecretFile.create(
                    path: path, contents: Array(text.utf8), nonce: Base64.url(SecureRandom.bytes(6)))
            } catch {
                throw AdminTokenError(error)
            }
        }
        return try load(path: path)
    }

    package static func load(path: String) throws(AdminTokenError) -> AdminToken {
        let bytes: [UInt8]
        do throws(SecretFileError) {
            bytes = try SecretFile.contents(path: path, maximumBytes: maximumBytes)
        } catch {
            throw AdminTokenError(error)
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let token = AdminToken(text) else {
            throw AdminTokenError(
                "there is no token in \(path): it needs one line of \(AdminToken.lengths.lowerBound) to "
                    + "\(AdminToken.lengths.upperBound) letters, digits and -._~+/=; remove the file, and a node "
                    + "makes a new one")
        }
        return token
    }
}

/// Why there is no token: one line for people, which holds nothing of the file.
package struct AdminTokenError: Error, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    init(_ error: SecretFileError) {
        description =
            switch error {
            case .unreadable(let path, let code):
                "the admin token cannot be read from \(path): \(String(cString: strerror(code)))"
            case .unwritable(let path, let code):
                "the admin token cannot be written to \(path): \(String(cString: strerror(code)))"
            case .exposed(let path):
                "others than its owner may read the admin token in \(path); remove the file, and a node makes a new one"
            case .notAFile(let path, let bytes):
                "the admin token's \(path) is no file of at most \(bytes) bytes"
            }
    }
}

extension NodeConfiguration {
    /// Where the admin token is: what the configuration says, or beside the signing keys, which have the same readers.
    package var adminTokenPath: String {
        if let path = admin.tokenFile { return path }
        let keys = auth.keysFile
        guard let slash = keys.lastIndex(of: "/") else { return AdminTokenFile.defaultName }
        return keys[...slash] + AdminTokenFile.defaultName
    }
}
