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
    /// Called on the connection's loop for a well-formed handshake, before anything is looked up for it, with the number
    /// of those that were admitted and are not open yet.
    package var admit: @Sendable (any EventLoop, Int) -> EdgeAdmission
    /// Says whose token it is.
    package var authenticate: @Sendable (String) async throws(AuthenticationError) -> Principal
    /// Called on the connection's loop when the client was told that the WebSocket is open. The pipeline ends with a
    /// `WebSocketHandler`; the relay's handlers are added behind it with `syncOperations`. Nothing was read yet. Where it
    /// throws the connection is closed with 1011.
    package var install: @Sendable (any Channel, EdgeClient) throws -> Void
    /// Told of each request that the edge refuses itself: the error's code.
    package var refused: @Sendable (String) -> Void
    /// Told of each connection that a bound refused, or closed for another one.
    package var bounded: @Sendable (ConnectionBound) -> Void
    /// Told of each connection that was closed because nobody took its answer.
    package var abandoned: @Sendable () -> Void

    package init(
        admit: @escaping @Sendable (any EventLoop, Int) -> EdgeAdmission,
        authenticate: @escaping @Sendable (String) async throws(AuthenticationError) -> Principal,
        install: @escaping @Sendable (any Channel, EdgeClient) throws -> Void,
        refused: @escaping @Sendable (String) -> Void,
        bounded: @escaping @Sendable (ConnectionBound) -> Void = { _ in },
        abandoned: @escaping @Sendable () -> Void = {}
    ) {
        self.admit = admit
        self.authenticate = authenticate
        self.install = install
        self.refused = refused
        self.bounded = bounded
        self.abandoned = abandoned
    }
}

/// Who opened a WebSocket.
package struct EdgeClient: Hashable, Sendable {
    package let principal: Principal
    package let subprotocol: Subprotocol
    /// The client's own address, behind whatever proxies are trusted.
    package let address: String
}
