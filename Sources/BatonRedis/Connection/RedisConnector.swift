import NIOCore
import NIOPosix
import NIOSSL

/// Makes the socket of a connection: TCP or a unix socket, with TLS or without. The channel does not read until told
/// to, so that nothing is lost before its handler is there.
///
/// The place for Sentinel and Cluster: they change where a connection goes, not what is done with it.
struct RedisConnector: Sendable {
    let settings: RedisSettings
    private let tls: NIOSSLContext?

    /// - Throws: where the certificate file cannot be read.
    init(settings: RedisSettings) throws {
        self.settings = settings
        guard settings.url.usesTLS else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch settings.trust {
        case .system: break
        case .file(let path): configuration.trustRoots = .file(path)
        case .anyone: configuration.certificateVerification = .none
        }
        tls = try NIOSSLContext(configuration: configuration)
    }

    func connect(on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        if let transport = settings.transport { return transport(eventLoop) }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.autoRead, value: false)
        switch settings.url.place {
        case .unix(let path):
            return bootstrap.connect(unixDomainSocketPath: path)
        case .tcp(let host, let port):
            return
                bootstrap
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        guard let tls else { return }
                        // Certificates name hosts; an address is verified against the certificate's addresses.
                        let isAddress = (try? SocketAddress(ipAddress: host, port: port)) != nil
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
                    }
                }
                .connect(host: host, port: port)
        }
    }
}
