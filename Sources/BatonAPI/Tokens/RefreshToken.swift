import BatonCore
import Crypto

/// A refresh token: 32 bytes that mean nothing, in base 64 for URLs. Only its hash is ever kept. A device's first one is
/// random, each other one follows from the one before it (`ClusterKeys`).
package struct RefreshToken: Hashable, Sendable {
    private static let byteCount = 32

    let bytes: [UInt8]
    /// What the client keeps.
    package let text: String
    /// What the store keeps. A fast hash will do: nobody guesses 256 random bits.
    package let hash: [UInt8]

    package static func random() -> RefreshToken {
        RefreshToken(bytes: SecureRandom.bytes(byteCount))
    }

    /// - Returns: nil for anything that no refresh token could be called.
    package init?(_ text: String) {
        guard text.utf8.count <= 64, let bytes = Base64.decodeURL(text), bytes.count == Self.byteCount else {
            return nil
        }
        self.init(bytes: bytes)
    }

    init(bytes: [UInt8]) {
        self.bytes = bytes
        text = Base64.url(bytes)
        hash = Array(SHA256.hash(data: bytes))
    }

    /// When one ends that is made now.
    static func end(from now: Timestamp, days: Int) -> Timestamp {
        now.advanced(byMilliseconds: Int64(clamping: days) * 24 * 60 * 60 * 1_000)
    }
}
