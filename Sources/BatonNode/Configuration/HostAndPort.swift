/// Where a node answers: a host's name or an address, and a port, and nothing else. It comes from an operator's configuration,
/// and from leases, which somebody who can write to Redis may have made up: it must not become another scheme, path or user
/// of a URL.
package enum HostAndPort {
    /// `example.org:8080`, `127.0.0.1:8080` or `[::1]:8080`.
    package static func isOne(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            return false
        }
        let host = text[..<colon].utf8
        guard let first = host.first, host.count <= 255 else { return false }
        if first == UInt8(ascii: "[") {
            return host.last == UInt8(ascii: "]") && host.count > 2
                && host.dropFirst().dropLast().allSatisfy { isHexadecimal($0) || [0x2e, 0x3a].contains($0) }
        }
        return host.allSatisfy { isLetterOrDigit($0) || [0x2d, 0x2e, 0x5f].contains($0) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
}
