import BatonCore
import BatonProtocol
import NIOCore
import NIOWebSocket

/// A relay that greets whoever says hello, accepts no message, and tells what it saw.
struct ScriptedRelay {
    enum Sight: Hashable, Sendable {
        case hello
        case send(ref: String)
        case ended
    }

    let address: String
    /// What it saw, in order, on all its connections.
    let sights: AsyncStream<Sight>
    private let listener: any Channel

    static func start(named node: String) async throws -> ScriptedRelay {
        let (sights, continuation) = AsyncStream.makeStream(of: Sight.self)
        let listener = try await WebSocketListener.bind { Greeter(node: node, sights: continuation) }
        return ScriptedRelay(
            address: "http://127.0.0.1:\(listener.localAddress?.port ?? 0)", sights: sights, listener: listener)
    }

    func stop() async throws { try await listener.close() }

    private final class Greeter: ChannelInboundHandler {
        typealias InboundIn = NIOWebSocket.WebSocketFrame
        typealias OutboundOut = NIOWebSocket.WebSocketFrame

        private let node: String
        private let sights: AsyncStream<Sight>.Continuation

        init(node: String, sights: AsyncStream<Sight>.Continuation) {
            self.node = node
            self.sights = sights
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            guard frame.opcode == .binary,
                let wire = try? FrameCodec.decode(Array(frame.unmaskedData.readableBytesView), as: .proto)
            else { return }
            switch wire {
            case .hello:
                sights.yield(.hello)
                greet(context)
            case .send(let send): sights.yield(.send(ref: send.ref))
            default: break
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            sights.yield(.ended)
            context.fireChannelInactive()
        }

        private func greet(_ context: ChannelHandlerContext) {
            var welcome = WireServerFrame()
            welcome.welcome.node = node
            welcome.welcome.user = UserID(rawValue: 1).description
            welcome.welcome.epoch = "000000000000e"
            welcome.welcome.outcome = .resumed
            var caughtUp = WireServerFrame()
            caughtUp.caughtUp.inboxSequence = 0
            for wire in [welcome, caughtUp] {
                guard let bytes = try? FrameCodec.encode(wire, as: .proto) else { continue }
                let data = context.channel.allocator.buffer(bytes: bytes)
                context.write(wrapOutboundOut(OutboundOut(fin: true, opcode: .binary, data: data)), promise: nil)
            }
            context.flush()
        }
    }
}
