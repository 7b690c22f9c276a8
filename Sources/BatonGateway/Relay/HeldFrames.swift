import BatonCore
import NIOCore

/// The frames that a client sent after its `hello` and before it was welcomed.
///
/// Answers come in the order of the frames, so nothing of it is looked at before `welcome` is written. It is bounded:
/// while it is full nothing is read from the socket.
struct HeldFrames {
    private var messages: [WebSocketInbound] = []
    private var bytes = 0

    var isFull: Bool { messages.count >= Limits.Connection.heldFrames || bytes >= Limits.Connection.heldBytes }

    mutating func append(_ message: WebSocketInbound) {
        messages.append(message)
        switch message {
        case .text(let buffer), .binary(let buffer): bytes += buffer.readableBytes
        }
    }

    mutating func takeAll() -> [WebSocketInbound] {
        defer { self = HeldFrames() }
        return messages
    }
}
