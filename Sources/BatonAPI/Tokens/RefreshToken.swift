package import BatonCore
import Crypto

/// A refresh token: 32 random bytes that mean nothing, in base 64 for URLs. Only its hash is ever kept.
package struct RefreshToken: Hashable, Sendable {
    private static let byteCount = 32

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

    private init(bytes: [UInt8]) {
        text = Base64.url(bytes)
        hash = Array(SHA256.hash(data: bytes))
    }

    /// For the store, from now on for so many days.
    package func record(at now: Timestamp, days: Int) -> NewRefreshToken {
        let lifetime = Int64(clamping: days) * 24 * 60 * 60 * 1_000
        return NewRefreshToken(hash: hash, expiresAt: now.advanced(byMilliseconds: lifetime))
    }
}
