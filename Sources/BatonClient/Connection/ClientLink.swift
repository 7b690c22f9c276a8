import BatonProtocol
import NIOCore

/// Carries one connection's frames to the client: decoded, in batches of one read tick.
///
/// The client is an actor on the connection's own loop, so the call is direct.
final class ClientLink: RelayChannelSession {
    /// Tells the connections of one client apart, so that a late word of an old one is not taken for the new one's.
    private let number: UInt64
    private let client: BatonClient
    private var frames: [WireServerFrame] = []

    init(number: UInt64, client: BatonClient) {
        self.number = number
        self.client = client
    }

    func opened(_ channel: RelayChannelHandler<ClientLink>) {
        guard let eventLoop = channel.eventLoop else { return }
        let handle = NIOLoopBound(channel, eventLoop: eventLoop)
        let number = number
        client.assumeIsolated { $0.opened(handle, number: number) }
    }

    func received(_ payload: UnsafeRawBufferPointer, on channel: RelayChannelHandler<ClientLink>) {
        do {
            frames.append(try FrameCodec.decodeServerFrame(Array(payload), as: channel.encoding))
        } catch {
            channel.abort(.broken("a frame that is none of relay.proto"))
        }
    }

    func answeredPing() {}

    func readEnded(on channel: RelayChannelHandler<ClientLink>) {
        let (batch, number) = (frames, number)
        frames.removeAll(keepingCapacity: true)
        client.assumeIsolated { $0.received(batch, number: number) }
    }

    func writabilityChanged(_ isWritable: Bool, on channel: RelayChannelHandler<ClientLink>) {
        guard isWritable else { return }
        client.assumeIsolated { $0.pump() }
    }

    func closed(_ ending: RelayEnding) {
        let (batch, number) = (frames, number)
        client.assumeIsolated {
            if !batch.isEmpty { $0.received(batch, number: number) }
            $0.closed(ending, number: number)
        }
    }
}
