/// A reply of Redis (RESP2).
package enum RedisValue: Hashable, Sendable {
    case null
    case integer(Int64)
    /// A simple or a bulk string.
    case string([UInt8])
    /// An error inside an array; one at the top is a `RedisError.refused`.
    case error(String)
    case array([RedisValue])

    package var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    package var bytes: [UInt8]? {
        if case .string(let bytes) = self { bytes } else { nil }
    }

    /// nil for anything but a string of valid UTF-8.
    package var text: String? {
        if case .string(let bytes) = self { String(validating: bytes, as: UTF8.self) } else { nil }
    }

    package var array: [RedisValue]? {
        if case .array(let values) = self { values } else { nil }
    }
}
