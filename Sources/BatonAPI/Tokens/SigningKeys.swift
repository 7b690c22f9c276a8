package import BatonCore
import Crypto
import Foundation

/// The Ed25519 keys of a cluster. All of them verify; one signs: the newest that is in force.
///
/// To rotate, add a key that comes into force later than the last node will have been restarted, and take the old one
/// out 15 minutes (an access token's life) after that. `ClusterKeys` follow from them.
package struct SigningKeys: Sendable {
    package struct Key: Sendable {
        /// The name in a token's header.
        package let id: String
        let privateKey: Curve25519.Signing.PrivateKey
        /// It does not sign before.
        package let created: Timestamp

        package init?(id: String, seed: [UInt8], created: Timestamp) {
            guard (1...64).contains(id.utf8.count),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
            else { return nil }
            self.id = id
            privateKey = key
            self.created = created
        }

        package static func random(created: Timestamp) -> Key {
            Key(id: DeviceID(rawValue: .random(in: 1 ... .max)).description, privateKey: .init(), created: created)
        }

        private init(id: String, privateKey: Curve25519.Signing.PrivateKey, created: Timestamp) {
            self.id = id
            self.privateKey = privateKey
            self.created = created
        }
    }

    /// Keys at most: each is a line that an operator wrote.
    package static let limit = 16

    /// Oldest first, at least one.
    package let keys: [Key]

    /// - Returns: nil where there are none or too many, or two of one name.
    package init?(_ keys: [Key]) {
        guard (1...Self.limit).contains(keys.count), Set(keys.map(\.id)).count == keys.count else { return nil }
        self.keys = keys.sorted { $0.created < $1.created }
    }

    /// The newest key in force; where none is yet, the one that will be next, since something has to sign.
    package func signing(at now: Timestamp) -> Key {
        keys.last { $0.created <= now } ?? keys[0]
    }
}
