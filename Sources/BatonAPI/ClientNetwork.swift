import Foundation

/// Whom a rate limit by address counts as one.
package enum ClientNetwork {
    /// An IPv4 address as it is, also where it came mapped into IPv6; of an IPv6 address the /64 network, since one
    /// customer gets at least that much; `local` for what has no address.
    package static func name(of address: String?) -> String {
        guard let address else { return "local" }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, address, &bytes) == 1 else {
            return inet_pton(AF_INET, address, &bytes) == 1 ? address : "local"
        }
        let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xff && bytes[11] == 0xff
        if isMapped { return bytes.suffix(4).map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 8, by: 2).map { index in
            String(UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "::/64"
    }
}
