public import BatonCore

/// The way into the relay for messages that came on no WebSocket: REST requests, workers. They are checked, limited,
/// committed, delivered and traced by the same code as a `send` frame.
public protocol MessageSubmitter: Sendable {
    /// - Parameter sender: who sends; of the device its ids are used, and not whether it is connected.
    /// - Returns: what `accepted` would have said.
    /// - Throws: what `rejected` would have said. A retryable error leaves open whether the message was stored; the same
    ///   `ref` may be sent again, here or in a WebSocket.
    func submit(_ send: WireSend, by sender: Principal) async throws(FrameError) -> WireAccepted
}

extension WireAccepted {
    public init(_ message: AcceptedMessage, ref: String) {
        self.init()
        self.ref = ref
        id = message.id.description
        conversation = message.id.conversation.description
        sequence = message.id.sequence.rawValue
        atMs = UInt64(clamping: message.at.milliseconds)
    }
}
