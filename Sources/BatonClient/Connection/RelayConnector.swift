package import BatonProtocol
package import NIOCore
import NIOPosix
package import NIOSSL

/// Opens connections to relays on one event loop.
package struct RelayConnector: Sendable {
    package let eventLoop: any EventLoop
    /// nil: the addresses are all without TLS.
    private let tls: NIOSSLContext?
    private let encoding: Subprotocol
    private let timeout: TimeAmount

    package init(
        on eventLoop: any EventLoop, tls: NIOSSLContext?, encoding: Subprotocol = .proto,
        timeout: TimeAmount = .seconds(5)
    ) {
        self.eventLoop = eventLoop
        self.tls = tls
        self.encoding = encoding
        self.timeout = timeout
    }

    /// Connects a session, which is made on the loop. The future ends with the TCP connection; everything behind it
    /// is told to the session.
    package func connect<Session: RelayChannelSession>(
        to address: RelayAddress, accessToken: String, receiveBytes: Int = 16 * 1024,
        makeSession: @escaping @Sendable () -> Session
    ) -> EventLoopFuture<any Channel> {
        ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 512, initial: 2_048, maximum: max(receiveBytes, 2_048))
            )
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if address.usesTLS, let tls {
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: address.tlsName))
                    }
                    try pipeline.addHandler(
                        RelayChannelHandler(
                            session: makeSession(), authority: address.authority, accessToken: accessToken,
                            encoding: encoding))
                }
            }
            .connect(host: address.host, port: address.port)
    }
}

extension RelayAddress {
    /// The name for SNI, which must not be an address.
    fileprivate var tlsName: String? {
        (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil
    }
}
