import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import NIOCore
import NIOPosix

/// A connection without the SDK's care, for what no sound client does: the same message on two nodes at once, two
/// connections of one device.
///
/// Its `hello` leaves when it is asked to. Events that come are neither applied nor acknowledged.
final class RawConnection: RelayChannelSession {
    package enum Event: Sendable {
        /// The handshake is done, and nothing was said yet.
        case opened(Handle)
        case welcomed(node: String)
        case accepted(ref: String, MessageID)
        case rejected(ref: String, RelayError)
        case ended(RelayEnding)
    }

    /// The connection, for other threads.
    struct Handle: Sendable {
        fileprivate let channel: NIOLoopBound<RelayChannelHandler<RawConnection>>
        fileprivate let eventLoop: any EventLoop
        fileprivate let encoding: Subprotocol

        /// All of them in one write. JSON escapes what is not ASCII, as the SDK does not.
        func write(_ frames: [WireClientFrame]) {
            let (channel, encoding) = (channel, encoding)
            let payloads = frames.compactMap { try? FrameCodec.encode($0, as: encoding) }
                .map { encoding == .json ? EscapedJSON.escape($0) : $0 }
            eventLoop.execute {
                for payload in payloads { channel.value.write(payload) }
            }
        }

        func close() {
            let channel = channel
            eventLoop.execute {
                channel.value.close(.normal)
                channel.value.abort(.closedByClient)
            }
        }
    }

    private let tell: @Sendable (Event) -> Void

    private init(tell: @escaping @Sendable (Event) -> Void) { self.tell = tell }

    /// Begins to connect. The last event is `ended`.
    static func open(
        _ address: RelayAddress, _ encoding: Subprotocol, accessToken: String,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        let connector = RelayConnector(
            on: MultiThreadedEventLoopGroup.singleton.next(), tls: nil, encoding: encoding)
        connector.connect(to: address, accessToken: accessToken) { RawConnection(tell: tell) }
            .whenFailure { tell(.ended(.unreachable("\($0)"))) }
    }

    func opened(_ channel: RelayChannelHandler<RawConnection>) {
        guard let eventLoop = channel.eventLoop else { return }
        tell(
            .opened(
                Handle(
                    channel: NIOLoopBound(channel, eventLoop: eventLoop), eventLoop: eventLoop,
                    encoding: channel.encoding)))
    }

    func received(_ payload: UnsafeRawBufferPointer, on channel: RelayChannelHandler<RawConnection>) {
        guard let frame = try? FrameCodec.decodeServerFrame(Array(payload), as: channel.encoding) else {
            return channel.abort(.broken("a frame that is none of relay.proto"))
        }
        switch frame.frame {
        case .welcome(let welcome): tell(.welcomed(node: welcome.node))
        case .accepted(let accepted):
            guard let id = MessageID(accepted.id) else { return channel.abort(.broken("accepted as \(accepted.id)")) }
            tell(.accepted(ref: accepted.ref, id))
        case .rejected(let rejected): tell(.rejected(ref: rejected.ref, RelayError(rejected.error)))
        case .caughtUp, .event, .presence, .typing, .pong, .goAway, .error, nil: break
        }
    }

    func answeredPing() {}
    func readEnded(on channel: RelayChannelHandler<RawConnection>) {}
    func writabilityChanged(_ isWritable: Bool, on channel: RelayChannelHandler<RawConnection>) {}
    func closed(_ ending: RelayEnding) { tell(.ended(ending)) }
}

@available(*, unavailable)
extension RawConnection: Sendable {}
