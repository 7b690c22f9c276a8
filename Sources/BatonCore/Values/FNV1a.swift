/// FNV-1a, 64 bits: a hash that is the same in every process and on every machine. Against mistakes and for spreading, not
/// against an adversary, who finds two texts with the same hash at once.
///
/// Source: <http://www.isthe.com/chongo/tech/comp/fnv/>.
package enum FNV1a {
    package static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hash
    }
}
