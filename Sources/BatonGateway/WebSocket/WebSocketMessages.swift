package import BatonProtocol
package import NIOCore

/// A complete message of the client.
package enum WebSocketInbound: Hashable, Sendable {
    case text(ByteBuffer)
    case binary(ByteBuffer)
}

/// What is sent to the client. One write is one frame; frames of one flush leave as one piece.
package enum WebSocketOutbound: Hashable, Sendable {
    case text([UInt8])
    case binary([UInt8])
    case textBuffer(ByteBuffer)
    case binaryBuffer(ByteBuffer)
    /// Asks for a sign of life; see ``WebSocketHandler/lastHeard``. The pong brings the payload back, at most 125 bytes;
    /// where there is one, it is told as ``WebSocketPong``.
    case ping([UInt8])
    /// Starts the closing handshake. Frames written after it are dropped. It flushes by itself.
    indirect case close(code: UInt16, reason: String)

    package static func close(_ code: CloseCode, _ reason: String = "") -> Self {
        .close(code: code.rawValue, reason: reason)
    }
}

/// Fired through the pipeline when the client answers a ping that had a payload, or sends such a pong unasked.
package struct WebSocketPong: Hashable, Sendable {
    package let payload: ByteBuffer
}

/// Fired once through the pipeline when a connection stops being open: from here on no message comes and none is sent.
/// Where the socket breaks without a word it is not fired; `channelInactive` always comes.
package enum WebSocketClosing: Hashable, Sendable {
    /// We closed, with this code.
    case byUs(code: UInt16)
    /// The client closed; it may have said no code.
    case byPeer(code: UInt16?)
    /// The client broke the protocol.
    case violation(WebSocketViolation)
    /// The client does not read, and what waits for it reached its bound.
    case overflow
}
