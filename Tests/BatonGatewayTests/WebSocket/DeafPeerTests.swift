import BatonCore
import BatonGateway
import BatonTestKit
import NIOCore
import NIOPosix
import Testing

@Suite("A peer that never reads, on a real socket")
struct DeafPeerTests {
    /// The most that ever waited for a connection, told a while after nothing more could be written.
    private final class Watch: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let told: EventLoopPromise<Int>
        private var most = 0

        init(told: EventLoopPromise<Int>) { self.told = told }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            context.write(data, promise: promise)
            most = max(most, (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            context.fireChannelWritabilityChanged()
            guard !context.channel.isWritable else { return }
            // Long enough for a server that went on reading to take megabytes.
            context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(200)) {
                self.told.succeed(self.most)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            told.succeed(most)
            context.fireChannelInactive()
        }
    }

    @Test(
        "It sends until nobody reads from it either, and what waits for it stays below the bound",
        .timeLimit(.minutes(1)))
    func echoesNobodyReads() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let told = group.any().makePromise(of: Int.self)
        let server = try await ServerBootstrap(group: group)
            // Small buffers fill fast; accepted sockets get those of the listening one.
            .serverChannelOption(.socketOption(.so_rcvbuf), value: 64 * 1024)
            .childChannelOption(.socketOption(.so_sndbuf), value: 64 * 1024)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: Limits.Connection.writeLowWatermark, high: Limits.Connection.writeHighWatermark)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        Watch(told: told), WebSocketHandler(), EchoHandler(),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        let peer = try await RawConnection.connect(to: address, readsNothing: true)
        // More than the kernel's buffers of both ends hold.
        let frame = ClientFrames.binary([UInt8](repeating: 1, count: 32 * 1024))
        async let sending: Void = peer.send((0..<512).reduce(into: []) { all, _ in all += frame })
        let most = try await told.futureResult.get()
        #expect(most > 0 && most <= Limits.Connection.writeBufferBytes)
        try await peer.close()
        do {
            try await sending
            Issue.record("the server took all of it")
        } catch {}
        try await server.close()
    }
}
