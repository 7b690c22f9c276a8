import BatonClient
import BatonCore
import BatonHistory
import Logging
import NIOCore
import NIOPosix

/// A client with an account of its own that gives one node every poison, each on a connection of its own.
struct PoisonClient {
    private let address: RelayAddress
    private let token: String
    private let poisons: [Poison]

    /// A node that has neither answered nor closed by then hangs.
    private static let patience = TimeAmount.seconds(15)
    private static let password = "poison-is-for-one-only"

    private struct IsLate: Error {}

    init(url: String, seed: UInt64) async throws {
        guard let address = RelayAddress(url) else { throw ChaosFailure("\(url) is no address") }
        var generator = SeededGenerator(seed: seed).fork(3)
        let handle = "poison\(UInt64.random(in: 0 ... .max))"
        var configuration = ClientConfiguration(addresses: [address])
        configuration.logger = Logger(label: "poison") { _ in SwiftLogNoOpLogHandler() }
        let client = try BatonClient(configuration)
        do {
            try await client.register(handle: handle, displayName: "Poison", password: Self.password)
            token = try await client.login(handle: handle, password: Self.password, deviceName: "poison").accessToken
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        self.address = address
        poisons = Poison.all(using: &generator)
    }

    /// - Returns: the poisons that the node neither answered nor cut off.
    func run() async -> [String] {
        var complaints: [String] = []
        for poison in poisons {
            if await !isSettled(poison) { complaints.append("neither answers nor ends \(poison.name)") }
        }
        return complaints
    }

    private func isSettled(_ poison: Poison) async -> Bool {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let (greeted, settled) = (loop.makePromise(of: Void.self), loop.makePromise(of: Void.self))
        let late = loop.scheduleTask(in: Self.patience) {
            greeted.fail(IsLate())
            settled.fail(IsLate())
        }
        defer { late.cancel() }
        do {
            let channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Ear(greeted: greeted, settled: settled))
                    }
                }
                .connect(host: address.host, port: address.port).get()
            defer { channel.close(promise: nil) }
            if let request = handshake(poison.greeting) {
                try await channel.writeAndFlush(ByteBuffer(string: request))
                try await greeted.futureResult.get()
            } else {
                greeted.succeed()
            }
            // A node may cut it off before it was written to its end.
            try? await channel.writeAndFlush(ByteBuffer(bytes: poison.bytes))
            try await settled.futureResult.get()
            return true
        } catch {
            greeted.fail(error)
            settled.fail(error)
            return !(error is IsLate)
        }
    }

    private func handshake(_ greeting: Poison.Greeting) -> String? {
        let format: String
        switch greeting {
        case .none: return nil
        case .proto: format = "baton.v1.proto"
        case .json: format = "baton.v1.json"
        }
        return "GET /v1/ws HTTP/1.1\r\nHost: \(address.host)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            + "Sec-WebSocket-Protocol: \(format)\r\nAuthorization: Bearer \(token)\r\n\r\n"
    }

    /// Hears the end of the handshake, and then anything at all.
    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let greeted: EventLoopPromise<Void>
        private let settled: EventLoopPromise<Void>
        private var heard = ByteBuffer()
        private var isGreeted = false

        init(greeted: EventLoopPromise<Void>, settled: EventLoopPromise<Void>) {
            self.greeted = greeted
            self.settled = settled
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            heard.writeBuffer(&bytes)
            guard String(buffer: heard).hasPrefix("HTTP/1.1 101") else { return settled.succeed() }
            guard let end = heard.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
            if !isGreeted {
                isGreeted = true
                greeted.succeed()
            }
            if end.upperBound < heard.writerIndex { settled.succeed() }
        }

        func channelInactive(context: ChannelHandlerContext) {
            greeted.fail(ChannelError.eof)
            settled.succeed()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
