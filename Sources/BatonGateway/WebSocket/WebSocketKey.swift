import Crypto
import Foundation

/// The key of a handshake (RFC 6455, 4.2.1 and 4.2.2).
enum WebSocketKey {
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// Whether it is 16 bytes in canonical base64.
    static func isValid(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes[22] == UInt8(ascii: "="), bytes[23] == UInt8(ascii: "=") else { return false }
        // The last digit holds two bits of the sixteenth byte and four that must be zero.
        return bytes[..<22].allSatisfy(isDigit) && "AQgw".utf8.contains(bytes[21])
    }

    /// The value of `Sec-WebSocket-Accept`.
    static func accept(_ key: String) -> String {
        Data(Insecure.SHA1.hash(data: Data((key + suffix).utf8))).base64EncodedString()
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}
