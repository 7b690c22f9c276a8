import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket

/// Accepts WebSockets on a free port of the loopback, and puts a handler of the test's own behind each.
enum WebSocketListener {
    static func bind(_ makeHandler: @escaping @Sendable () -> any ChannelHandler) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let upgrader = NIOWebSocketServerUpgrader(
                    shouldUpgrade: { channel, head in
                        let offer = head.headers.first(name: "Sec-WebSocket-Protocol") ?? ""
                        return channel.eventLoop.makeSucceededFuture(["Sec-WebSocket-Protocol": offer])
                    },
                    upgradePipelineHandler: { channel, _ in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(makeHandler())
                        }
                    })
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withServerUpgrade: ([upgrader], { _ in }))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }
}
