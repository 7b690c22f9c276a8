import BatonCore
package import BatonGateway

/// Where and how the edge listens.
package struct EdgeConfiguration: Sendable {
    package var host: String
    /// 0 takes a free one; `Edge.run` tells which.
    package var port: Int
    package var origins = OriginPolicy()
    package var trustedProxies = TrustedProxies()
    package var frameBounds = WebSocketDecoder.Bounds()
    /// From the TCP connection to a complete request, authenticated where it asks for a WebSocket.
    package var handshakeSeconds = Limits.Connection.handshakeSeconds
    /// How long a connection of plain requests may wait for its next one.
    package var idleSeconds = Limits.Connection.plainIdleSeconds
    /// Mounts the test-only endpoint.
    package var mountsEcho = false

    package init(host: String = "127.0.0.1", port: Int = 0) {
        self.host = host
        self.port = port
    }
}

/// The paths that are WebSockets.
package enum EdgeEndpoint: String, CaseIterable, Sendable {
    case relay = "/v1/ws"
    case echo = "/v1/echo"

    init?(uri: String) {
        self.init(rawValue: String(uri.prefix { $0 != "?" }))
    }
}
