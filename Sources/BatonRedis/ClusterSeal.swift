package import BatonCore
import Crypto

/// Proves that a text comes from a node of this cluster, by keys that the nodes have and Redis has not.
///
/// A proof is made with the key in force, and taken with any: the keys follow from the signing keys, and are rotated as they
/// are. It says nothing of when the text was made: who can read Redis can send it again.
package struct ClusterSeal: Sendable {
    package struct Key: Sendable {
        /// With the key taken in; its copies go on from there, which costs half of beginning anew.
        fileprivate let beginning: HMAC<SHA256>
        /// It is in force from then on.
        fileprivate let created: Timestamp

        package init(bytes: [UInt8], created: Timestamp) {
            beginning = HMAC<SHA256>(key: SymmetricKey(data: bytes))
            self.created = created
        }
    }

    /// Half of a SHA-256: nobody can try that many.
    static let proofBytes = 16
    /// Characters of a proof that people may see: two numbers.
    static let proofCharacters = 2 * Base32.length

    let clock: any CivilClock
    /// The oldest first.
    private let keys: [Key]

    /// - Parameter keys: at least one.
    package init(keys: [Key], clock: any CivilClock) {
        precondition(!keys.isEmpty, "a seal needs a key")
        self.keys = keys.sorted { $0.created < $1.created }
        self.clock = clock
    }

    /// - Parameter place: where the text stands, so that it proves nothing elsewhere: a channel's name, or a key's.
    func proof(of text: ArraySlice<UInt8>, at place: String) -> some Sequence<UInt8> {
        let now = clock.now
        return Self.proof(of: text, at: place, by: keys.last { $0.created <= now } ?? keys[0])
    }

    func isProven(_ text: ArraySlice<UInt8>, at place: String, by proof: ArraySlice<UInt8>) -> Bool {
        guard proof.count == Self.proofBytes else { return false }
        // The newest ones first: nearly always the first try is right.
        return keys.reversed().contains { key in
            // All of both, so that the time does not tell how much was right.
            zip(Self.proof(of: text, at: place, by: key), proof).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
        }
    }

    /// The same in characters, for what people read.
    func proofText(of text: String, at place: String) -> String {
        let proof = Array(proof(of: Array(text.utf8)[...], at: place))
        let numbers = [proof.prefix(8), proof.suffix(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return numbers.map(Base32.encode).joined()
    }

    func isProven(_ text: ArraySlice<UInt8>, at place: String, byText proof: ArraySlice<UInt8>) -> Bool {
        guard proof.count == Self.proofCharacters, let high = Base32.decode(proof.prefix(Base32.length)),
            let low = Base32.decode(proof.suffix(Base32.length))
        else { return false }
        let bytes = [high, low].flatMap { number in withUnsafeBytes(of: number.bigEndian) { Array($0) } }
        return isProven(text, at: place, by: bytes[...])
    }

    private static func proof(
        of text: ArraySlice<UInt8>, at place: String, by key: Key
    ) -> PrefixSequence<HMAC<SHA256>.MAC> {
        var (code, place) = (key.beginning, place)
        // The zero, which is in no name, says where the place ends and the text begins.
        place.withUTF8 { code.update(data: $0) }
        withUnsafeBytes(of: UInt8(0)) { code.update(data: $0) }
        code.update(data: text)
        return code.finalize().prefix(proofBytes)
    }
}
