import BatonCore

/// What stays of a payload whose content was removed, to tell a retry from another message of the same name.
///
/// A client that makes two payloads with the same digest deceives only itself.
enum PayloadDigest {
    static func of(_ payload: [UInt8]) -> Int64 { Int64(bitPattern: FNV1a.hash(payload)) }
}
