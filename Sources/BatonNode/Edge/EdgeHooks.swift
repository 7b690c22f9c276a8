package import BatonCore
package import BatonProtocol
package import NIOCore

/// Whether one more connection is taken.
package enum EdgeAdmission: Hashable, Sendable {
    case admitted
    case refused(retryAfterMilliseconds: UInt32)
}

/// What the edge asks of the relay behind it, in this order for each connection.
package struct EdgeHooks: Sendable {
    /// Called on the connection's loop for a well-formed handshake, before anything is looked up for it.
    package var admit: @Sendable (any EventLoop) -> EdgeAdmission
    /// Says whose token it is.
    package var authenticate: @Sendable (String) async throws(AuthenticationError) -> Principal
    /// Called on the connection's loop when the client was told that the WebSocket is open. The pipeline ends with a
    /// `WebSocketHandler`; the relay's handlers are added behind it with `syncOperations`. Nothing was read yet. Where it
    /// throws the connection is closed with 1011.
    package var install: @Sendable (any Channel, EdgeClient) throws -> Void
    /// Told of each connection that is refused before it is a WebSocket or plain: the error's code.
    package var refused: @Sendable (String) -> Void

    package init(
        admit: @escaping @Sendable (any EventLoop) -> EdgeAdmission,
        authenticate: @escaping @Sendable (String) async throws(AuthenticationError) -> Principal,
        install: @escaping @Sendable (any Channel, EdgeClient) throws -> Void,
        refused: @escaping @Sendable (String) -> Void
    ) {
        self.admit = admit
        self.authenticate = authenticate
        self.install = install
        self.refused = refused
    }
}

/// Who opened a WebSocket.
package struct EdgeClient: Hashable, Sendable {
    package let principal: Principal
    package let subprotocol: Subprotocol
    /// The client's own address, behind whatever proxies are trusted.
    package let address: String
}
