import BatonCore
import NIOCore

/// Which of its device's connections this one is, and whether anybody is at its other end.
extension RelayHandler {
    /// The store has numbered the connection, or could not. The client is asked to answer, before it is welcomed: one that
    /// reads its welcome has read the ping.
    func numbered(_ generation: ConnectionGeneration) {
        unprovenGeneration = generation
        ping(Self.bytes(of: generation))
    }

    /// A pong proves that the client is there, where it answers the ping that was sent after the numbering.
    func received(_ pong: WebSocketPong) {
        guard phase == .open, let generation = unprovenGeneration,
            pong.payload.readableBytesView.elementsEqual(Self.bytes(of: generation))
        else { return }
        unprovenGeneration = nil
        self.generation = generation
        loop.proven(self, as: generation)
    }

    /// Whether it is known to be older than a connection of its device.
    func isNumbered(below other: ConnectionGeneration) -> Bool {
        guard let number = unprovenGeneration ?? generation else { return false }
        return number != .unnumbered && number < other
    }

    /// Asks for a sign of life, and once more for the proof where it is missing: a client may answer the latest ping only.
    /// Source: <https://www.rfc-editor.org/rfc/rfc6455#section-5.5.3>.
    func keepAlive() { ping(unprovenGeneration.map { Self.bytes(of: $0) } ?? []) }

    private static func bytes(of generation: ConnectionGeneration) -> [UInt8] {
        withUnsafeBytes(of: generation.rawValue.bigEndian) { Array($0) }
    }
}
