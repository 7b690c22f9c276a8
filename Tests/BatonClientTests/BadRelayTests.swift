import BatonCore
import BatonProtocol
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Testing

@testable import BatonClient

@Suite("A client at a relay that breaks the protocol")
struct BadRelayTests {
    /// Accepts WebSockets and says at once what must not come first.
    private final class Impatient: ChannelInboundHandler {
        typealias InboundIn = NIOWebSocket.WebSocketFrame
        typealias OutboundOut = NIOWebSocket.WebSocketFrame
        private let frame: [UInt8]

        init(frame: [UInt8]) { self.frame = frame }

        func handlerAdded(context: ChannelHandlerContext) {
            let data = context.channel.allocator.buffer(bytes: frame)
            context.writeAndFlush(wrapOutboundOut(OutboundOut(fin: true, opcode: .binary, data: data)), promise: nil)
        }
    }

    private func listen(_ connections: AsyncStream<Void>.Continuation) async throws -> any Channel {
        var wire = WireServerFrame()
        wire.caughtUp.inboxSequence = 1
        let frame = try FrameCodec.encode(wire, as: .proto)
        return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let upgrader = NIOWebSocketServerUpgrader(
                    shouldUpgrade: { channel, head in
                        let offer = head.headers.first(name: "Sec-WebSocket-Protocol") ?? ""
                        return channel.eventLoop.makeSucceededFuture(["Sec-WebSocket-Protocol": offer])
                    },
                    upgradePipelineHandler: { channel, _ in
                        connections.yield()
                        return channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(Impatient(frame: frame))
                        }
                    })
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withServerUpgrade: ([upgrader], { _ in }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    @Test("A client leaves it, and goes on looking for one that does not", .timeLimit(.minutes(1)))
    func looksOn() async throws {
        let (connections, continuation) = AsyncStream.makeStream(of: Void.self)
        let listener = try await listen(continuation)
        let port = try #require(listener.localAddress?.port)
        var configuration = ClientConfiguration(
            addresses: [try #require(RelayAddress("http://127.0.0.1:\(port)"))])
        configuration.tokenProvider = {
            IssuedToken(
                user: UserID(rawValue: 1), device: DeviceID(rawValue: 2), accessToken: "token", lifetime: .seconds(600))
        }
        let client = try BatonClient(configuration)
        try await client.connect()

        var seen = 0
        for await _ in connections {
            seen += 1
            if seen == 3 { break }
        }

        let state = await client.state
        if case .offline = state { #expect(Bool(false), "the client gave up: \(state)") }
        #expect(seen == 3)
        await client.close()
        try await listener.close()
    }
}
