/// What stays of a payload whose content was removed, to tell a retry from another message of the same name.
///
/// FNV-1a, 64 bits: it guards against a client's mistake, not against an adversary, who could only fool themselves.
/// Source: <https://datatracker.ietf.org/doc/draft-eastlake-fnv/>.
enum PayloadDigest {
    static func of(_ payload: [UInt8]) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in payload { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
