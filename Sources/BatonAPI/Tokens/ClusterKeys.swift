package import BatonCore
import Crypto

/// What the nodes of a cluster compute alike without asking each other, by keys that follow from the signing keys.
///
/// Each use has a label, and so a key of its own. What is made follows the signing key in force; what was made before it came
/// into force is found by trying all. So these keys are rotated as signing keys are, and need nothing besides.
package struct ClusterKeys: Sendable {
    /// Of each signing key, the oldest first.
    private let keys: [Derived]

    private struct Derived: Sendable {
        let created: Timestamp
        let successors: SymmetricKey
        let networks: SymmetricKey
    }

    package init(_ signing: SigningKeys) {
        keys = signing.keys.map { key in
            Derived(
                created: key.created, successors: Self.derive("refresh token successor", from: key),
                networks: Self.derive("network mark", from: key))
        }
    }

    /// The refresh tokens that may follow one, by each key; that of the key in force first.
    package func successors(of token: RefreshToken, at now: Timestamp) -> [RefreshToken] {
        inOrder(at: now).map { key in
            RefreshToken(bytes: Array(HMAC<SHA256>.authenticationCode(for: token.bytes, using: key.successors)))
        }
    }

    /// What a network is called in the store, by each key; that of the key in force first.
    package func marks(of network: String, at now: Timestamp) -> [NetworkMark] {
        inOrder(at: now).map { key in
            let code = HMAC<SHA256>.authenticationCode(for: Array(network.utf8), using: key.networks)
            return NetworkMark(rawValue: code.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        }
    }

    /// The key in force, then the others, the newest first.
    private func inOrder(at now: Timestamp) -> [Derived] {
        let inForce = keys.lastIndex { $0.created <= now } ?? 0
        return [keys[inForce]] + keys.indices.reversed().filter { $0 != inForce }.map { keys[$0] }
    }

    /// Source: RFC 5869.
    private static func derive(_ label: String, from key: SigningKeys.Key) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key.privateKey.rawRepresentation), info: Array("baton \(label)".utf8),
            outputByteCount: SHA256.byteCount)
    }
}
