import Glibc
import NIOCore
import NIOHTTP1

/// Tells who a client is when requests come through proxies.
///
/// `X-Forwarded-For` is a list that each proxy appends to, and its beginning is whatever the client wrote. So it is read
/// from its end, as far as the addresses are of proxies that the operator named; the first other one is the client's.
package struct TrustedProxies: Hashable, Sendable {
    package struct UnreadableAddress: Error, Hashable, CustomStringConvertible {
        package let text: String
        package var description: String { "'\(text)' is no address and no network such as 10.0.0.0/8" }
    }

    private var networks: [Network] = []

    package init() {}

    /// - Parameter addresses: addresses or networks in CIDR notation, of IPv4 and IPv6.
    package init(_ addresses: [String]) throws(UnreadableAddress) {
        for text in addresses {
            guard let network = Network(text) else { throw UnreadableAddress(text: text) }
            networks.append(network)
        }
    }

    /// - Parameters:
    ///   - peer: the address of the other end of the socket.
    ///   - forwardedFor: all values of `X-Forwarded-For`, in their order.
    func origin(peer: String, forwardedFor: [String]) -> EdgeOrigin {
        guard var client = Address(peer) else { return EdgeOrigin(address: peer, isProxied: false) }
        guard trusts(client) else { return EdgeOrigin(address: client.text, isProxied: false) }
        for entry in forwardedFor.joined(separator: ",").split(separator: ",").reversed() {
            // What a trusted proxy could not have written ends the search at the last address that is sure.
            guard let address = Address(entry) else { break }
            client = address
            guard trusts(client) else { break }
        }
        return EdgeOrigin(address: client.text, isProxied: !forwardedFor.isEmpty)
    }

    /// Who sent a request over a channel.
    func client(_ channel: any Channel, _ headers: HTTPHeaders) -> EdgeOrigin {
        origin(peer: channel.peerAddress, forwardedFor: headers["X-Forwarded-For"])
    }

    /// The address of a connection's client; nil where a proxy is yet to say.
    func client(_ channel: any Channel) -> String? {
        let peer = channel.peerAddress
        return Address(peer).map(trusts) == true ? nil : peer
    }

    private func trusts(_ address: Address) -> Bool { networks.contains { $0.contains(address) } }

    private struct Network: Hashable, Sendable {
        let address: Address
        let prefix: Int

        init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = Address(parts[0]) else { return nil }
            let bits = address.bytes.count * 8
            guard let prefix = parts.count == 1 ? bits : Int(parts[1]), (0...bits).contains(prefix) else { return nil }
            self.address = address
            self.prefix = prefix
        }

        func contains(_ other: Address) -> Bool {
            guard other.bytes.count == address.bytes.count else { return false }
            let whole = prefix / 8
            guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
            let bits = prefix % 8
            return bits == 0 || (other.bytes[whole] ^ address.bytes[whole]) >> (8 - bits) == 0
        }
    }

    private struct Address: Hashable, Sendable {
        let bytes: [UInt8]
        let text: String

        /// An address as proxies write it: with or without a port, IPv6 with or without brackets.
        init?(_ text: some StringProtocol) {
            var text = text.drop { $0 == " " }
            while text.last == " " { text.removeLast() }
            if text.first == "[" {
                text = text.dropFirst().prefix { $0 != "]" }
            } else if text.count(where: { $0 == ":" }) == 1 {
                text = text.prefix { $0 != ":" }
            }
            let address = String(text)
            if let v4 = Self.parse(address, AF_INET, count: 4) {
                bytes = v4
            } else if let v6 = Self.parse(address, AF_INET6, count: 16) {
                // A socket that listens on IPv6 shows IPv4 clients as ::ffff:a.b.c.d.
                let isMapped = v6[..<10].allSatisfy { $0 == 0 } && v6[10] == 0xFF && v6[11] == 0xFF
                bytes = isMapped ? Array(v6[12...]) : v6
            } else {
                return nil
            }
            self.text = Self.form(bytes)
        }

        private static func parse(_ text: String, _ family: Int32, count: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            return inet_pton(family, text, &bytes) == 1 ? bytes : nil
        }

        /// One form for one address, however it was written.
        private static func form(_ bytes: [UInt8]) -> String {
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let family = bytes.count == 4 ? AF_INET : AF_INET6
            guard inet_ntop(family, bytes, &text, socklen_t(text.count)) != nil else { return "" }
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

/// Who sent a request, as far as it can be believed.
struct EdgeOrigin: Hashable, Sendable {
    /// Of the client.
    let address: String
    /// It came through a proxy that is trusted, so from outside.
    let isProxied: Bool
}

extension Channel {
    /// Of the other end of the socket.
    fileprivate var peerAddress: String { remoteAddress?.ipAddress ?? "local" }
}
