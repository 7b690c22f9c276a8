import BatonCore
import Foundation
package import Hummingbird
package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle

/// A node's listening side: one port for REST (`/v1/...`, whatever the router knows), for `GET /v1/ws`, and where it is
/// asked for, for `GET /v1/echo`.
///
/// It ends in two steps. A graceful shutdown closes the listener first, then plain connections as their requests are
/// answered; ``run()`` returns when those are gone. WebSockets live on: they belong to the relay, which tells them where
/// to go and when. A cancellation closes the listener and plain connections at once.
package struct Edge: Service {
    /// Connections that the kernel keeps for the next `accept`, as far as it allows.
    package static let listenBacklog: Int32 = 4_096
    /// Connections that are accepted before the loop looks at anything else. They have a descriptor before a bound has
    /// looked at them, so a few rounds of them fit into what a node keeps for itself.
    private static let acceptedAtOnce: UInt = 32

    private let configuration: EdgeConfiguration
    private let channels: EdgeChannel
    private let connections: EdgeConnections
    private let group: any EventLoopGroup
    private let onListening: @Sendable (SocketAddress) -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - connections: knows those that are no WebSockets, and how many there may be.
    ///   - router: answers plain requests.
    ///   - onListening: told the bound address when connections are taken.
    package init<Router: HTTPResponder>(
        configuration: EdgeConfiguration, connections: EdgeConnections, router: Router, hooks: EdgeHooks,
        group: any EventLoopGroup,
        onListening: @escaping @Sendable (SocketAddress) -> Void = { _ in }, logger: Logger
    ) where Router.Context: InitializableFromSource<ApplicationRequestContextSource> {
        let responder = EdgeResponder(router: router, mountsEcho: configuration.mountsEcho, logger: logger)
        self.configuration = configuration
        self.connections = connections
        channels = EdgeChannel(configuration: configuration, hooks: hooks, connections: connections) {
            request, channel, client in
            try await responder.respond(to: request, on: channel, from: client)
        }
        self.group = group
        self.onListening = onListening
        self.logger = logger
    }

    package func run() async throws {
        let listener: NIOAsyncChannel<EdgeChannel.Value, Never>
        do {
            listener = try await bind()
        } catch let error as IOError {
            // The library's text names its own function, not what a person can change.
            let reason = String(cString: strerror(error.errnoCode))
            throw EdgeError(
                description: "listen.host, listen.port: cannot listen on \(configuration.host):\(configuration.port): "
                    + reason)
        }
        await withTaskCancellationOrGracefulShutdownHandler {
            if let address = listener.channel.localAddress { onListening(address) }
            await withDiscardingTaskGroup { tasks in
                do {
                    try await listener.executeThenClose { connections in
                        for try await connection in connections {
                            tasks.addTask { await channels.handle(value: connection, logger: logger) }
                        }
                    }
                } catch {
                    logger.error("listener failed", metadata: ["error": "\(error)"])
                }
            }
        } onCancelOrGracefulShutdown: {
            listener.channel.close(promise: nil)
            connections.quiesce()
        }
    }

    private func bind() async throws -> NIOAsyncChannel<EdgeChannel.Value, Never> {
        let watermark = ChannelOptions.Types.WriteBufferWaterMark(
            low: Limits.Connection.writeLowWatermark, high: Limits.Connection.writeHighWatermark)
        let allocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 16 * 1024)
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.listenBacklog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: Self.acceptedAtOnce)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: watermark)
            .childChannelOption(.recvAllocator, value: allocator)
            // A client of plain HTTP may half-close after its request. An upgrade takes this back.
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: configuration.host, port: configuration.port) { [channels, logger] channel in
                channels.setup(channel: channel, logger: logger)
            }
    }
}

/// Why the node cannot listen.
package struct EdgeError: Error, CustomStringConvertible {
    package let description: String
}
