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
    /// From a plain request's head to its end.
    package var requestSeconds = Limits.Connection.requestSeconds
    /// For an answer to be taken, and a second more for each so many of its bytes.
    package var answerSeconds = Limits.Connection.answerSeconds
    package var answerBytesPerSecond = Limits.Connection.answerBytesPerSecond
    package var bounds = ConnectionBounds<ObjectIdentifier>.Sizes(
        plain: Limits.Node.plainConnections, reserve: Limits.Node.reservedConnections,
        plainPerAddress: Limits.Node.plainConnectionsPerAddress,
        reservePerAddress: Limits.Node.reservedConnectionsPerAddress,
        socketsPerAddress: Limits.Node.connectionsPerAddress)
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

/// The paths that are answered however many connections there are.
package enum HealthPath: String, CaseIterable, Sendable {
    case live = "/health/live"
    case ready = "/health/ready"

    init?(uri: String) {
        self.init(rawValue: String(uri.prefix { $0 != "?" }))
    }
}
