import BatonAPI
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
        guard var client = IPAddress(entry: peer) else { return EdgeOrigin(address: peer, isProxied: false) }
        guard trusts(client) else { return EdgeOrigin(address: client.text, isProxied: false) }
        for entry in forwardedFor.joined(separator: ",").split(separator: ",").reversed() {
            // What a trusted proxy could not have written ends the search at the last address that is sure.
            guard let address = IPAddress(entry: entry) else { break }
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
        return IPAddress(entry: peer).map(trusts) == true ? nil : peer
    }

    private func trusts(_ address: IPAddress) -> Bool { networks.contains { $0.contains(address) } }

    private struct Network: Hashable, Sendable {
        let address: IPAddress
        let prefix: Int

        init?(_ text: String) {
            let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let address = IPAddress(entry: parts[0]) else { return nil }
            let bits = address.bytes.count * 8
            guard let prefix = parts.count == 1 ? bits : Int(parts[1]), (0...bits).contains(prefix) else { return nil }
            self.address = address
            self.prefix = prefix
        }

        func contains(_ other: IPAddress) -> Bool {
            guard other.bytes.count == address.bytes.count else { return false }
            let whole = prefix / 8
            guard other.bytes[..<whole] == address.bytes[..<whole] else { return false }
            let bits = prefix % 8
            return bits == 0 || (other.bytes[whole] ^ address.bytes[whole]) >> (8 - bits) == 0
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

    /// The peer, of whom nothing else is known.
    var peerOrigin: EdgeOrigin { EdgeOrigin(address: peerAddress, isProxied: false) }
}
