package import BatonCore
import Crypto

extension SigningKeys {
    /// Keys for another use, which follow from these (HKDF, RFC 5869): the nodes have them alike without asking each other, and
    /// they are rotated as the signing keys are.
    ///
    /// - Parameter use: a name that nothing else is called by.
    /// - Returns: of each signing key one, and since when it is in force; the oldest first.
    package func derived(for use: String) -> [(bytes: [UInt8], created: Timestamp)] {
        keys.map { key in
            let derived = HKDF<SHA256>.deriveKey(
                inputKeyMaterial: SymmetricKey(data: key.privateKey.rawRepresentation),
                info: Array("baton \(use)".utf8), outputByteCount: SHA256.byteCount)
            return (derived.withUnsafeBytes { Array($0) }, key.created)
        }
    }
}
