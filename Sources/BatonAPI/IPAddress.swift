import Foundation

/// An IP address, one value for one address however it was written.
///
/// An IPv4 address that came mapped into IPv6 (`::ffff:a.b.c.d`, which a socket that listens on IPv6 shows) is the IPv4
/// address. Source: <https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2>.
package struct IPAddress: Hashable, Sendable {
    /// 4 or 16.
    package let bytes: [UInt8]

    /// From the usual text form; nil for anything else.
    package init?(_ text: String) {
        if let v4 = Self.parse(text, AF_INET, count: 4) {
            bytes = v4
        } else if let v6 = Self.parse(text, AF_INET6, count: 16) {
            let isMapped = v6[..<10].allSatisfy { $0 == 0 } && v6[10] == 0xFF && v6[11] == 0xFF
            bytes = isMapped ? Array(v6[12...]) : v6
        } else {
            return nil
        }
    }

    /// As proxies write it: with or without a port, IPv6 with or without brackets, blanks around it.
    package init?(entry text: some StringProtocol) {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        if text.first == "[" {
            text = text.dropFirst().prefix { $0 != "]" }
        } else if text.count(where: { $0 == ":" }) == 1 {
            text = text.prefix { $0 != ":" }
        }
        self.init(String(text))
    }

    package var text: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func parse(_ text: String, _ family: Int32, count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return inet_pton(family, text, &bytes) == 1 ? bytes : nil
    }
}

/// What a rate limit by address counts as one client.
package enum ClientNetwork {
    /// An IPv4 address; of an IPv6 address the /64 network, since one customer gets at least that much; `local` for what
    /// has no address.
    package static func name(of address: String?) -> String {
        guard let address = address.flatMap({ IPAddress($0) }) else { return "local" }
        guard address.bytes.count == 16 else { return address.text }
        let groups = stride(from: 0, to: 8, by: 2).map { index in
            String(UInt16(address.bytes[index]) << 8 | UInt16(address.bytes[index + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/64"
    }
}
