import Crypto

/// The secret that opens `/admin`. It shows the whole cluster, and nothing that people wrote.
///
/// Its text shows in no description, so that it cannot reach a log by accident.
package struct AdminToken: Sendable, CustomStringConvertible, CustomReflectable {
    /// The variable that the commands take it from where there is no file.
    package static let environmentName = "BATON_ADMIN_TOKEN"
    /// Characters of a token; one that a node makes has 43.
    static let lengths = 32...256

    private let digest: SHA256.Digest
    /// What proofs are made with.
    private let key: SymmetricKey

    /// - Returns: nil for what cannot stand behind `Bearer` (RFC 6750, section 2.1), or is too short to be a secret.
    package init?(_ text: String) {
        guard Self.lengths.contains(text.utf8.count), text.utf8.allSatisfy(Self.isTokenByte) else { return nil }
        digest = SHA256.hash(data: Array(text.utf8))
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: Array(text.utf8)), info: Array("baton admin".utf8),
            outputByteCount: SHA256.byteCount)
    }

    /// Compares digests, and all of both: neither a token's length nor how much of it was right shows in the time.
    func matches(_ presented: String) -> Bool {
        SHA256.hash(data: Array(presented.utf8)) == digest
    }

    /// The code that proves knowledge of the token.
    func code(of request: AdminProof.Request) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: request.text, using: key))
    }

    package var description: String { "AdminToken" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/=".utf8.contains(byte)
        }
    }
}
