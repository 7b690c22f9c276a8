package import NIOCore
package import NIOHTTP1

/// Makes every plain request say the truth before the router sees it:
/// 1. `X-Forwarded-For` holds exactly one address, the client's as far as it can be believed. So REST needs to know
///    nothing about proxies.
/// 2. Its header fields are ASCII.
/// 3. A request that asks for an upgrade which it will not get is the connection's last: the parser stops after it.
package final class RequestNormalizer: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart

    private let proxies: TrustedProxies

    package init(proxies: TrustedProxies) {
        self.proxies = proxies
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = Self.unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        head.headers.keepASCII()
        let address = proxies.client(context.channel, head.headers)
        head.headers.replaceOrAdd(name: "X-Forwarded-For", value: address)
        if head.headers.contains(name: "Upgrade") || head.method == .CONNECT {
            head.headers.remove(name: "Upgrade")
            head.headers.replaceOrAdd(name: "Connection", value: "close")
        }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }
}

@available(*, unavailable)
extension RequestNormalizer: Sendable {}

extension TrustedProxies {
    /// The address of the client at the other end of a channel.
    func client(_ channel: any Channel, _ headers: HTTPHeaders) -> String {
        client(peer: channel.remoteAddress?.ipAddress ?? "local", forwardedFor: headers["X-Forwarded-For"])
    }
}
