import BatonCore
package import Hummingbird
package import Logging
import NIOCore

/// What a request brings besides its head and body.
///
/// `remoteAddress` is whom rate limits count. Made from a channel it is the socket's peer, which behind a load balancer
/// is the load balancer. The edge sets it to the client that it found (`X-Forwarded-For` of proxies that it trusts) before
/// the router sees the request. No route reads such headers, since anybody can send them.
package struct APIRequestContext: RequestContext, AddressedContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's IP address, without a port; nil where it has none (a Unix socket).
    package var remoteAddress: String?
    package var isProxied = false

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress?.ipAddress
    }

    package init(remoteAddress: String?, logger: Logger) {
        coreContext = CoreRequestContextStorage(source: LoggerSource(logger: logger))
        self.remoteAddress = remoteAddress
    }

    package var maxUploadSize: Int { Limits.Frame.requestBodyBytes }

    private struct LoggerSource: RequestContextSource {
        let logger: Logger
    }
}

/// A context that can be told whose request it is.
package protocol AddressedContext {
    /// The client's IP address, without a port; nil where it has none (a Unix socket).
    var remoteAddress: String? { get set }
    /// It came through a proxy that the edge trusts, so from outside.
    var isProxied: Bool { get set }
}
