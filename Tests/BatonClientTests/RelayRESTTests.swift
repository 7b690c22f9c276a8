import AsyncHTTPClient
import BatonClient
import BatonProtocol
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Testing

@Suite("Requests by REST while a server says nothing")
struct RelayRESTTests {
    @Test("What may be repeated is asked of the next server, and the silent one is not asked first again")
    func repeats() async throws {
        try await withServers { silent, answering, asked in
            let rest = client(of: [silent, answering])
            let tokens = try await refresh(rest).get()
            #expect(tokens.refreshToken == "next")
            #expect(try await refresh(rest).get().refreshToken == "next")
            #expect(asked.value == 1)
        }
    }

    @Test("What may not be repeated fails, and the next request goes to the next server")
    func failsOnce() async throws {
        try await withServers { silent, answering, asked in
            let rest = client(of: [silent, answering])
            await #expect(throws: ClientError.self) {
                try await rest.request(.POST, "/v1/sessions", body: WireLogin(), answer: WireTokens.self)
            }
            let tokens = try await rest.request(.POST, "/v1/sessions", body: WireLogin(), answer: WireTokens.self)
            #expect(tokens.refreshToken == "next")
            #expect(asked.value == 1)
        }
    }

    private static let patience: TimeAmount = .seconds(5)

    private func refresh(_ rest: RelayREST) -> EventLoopFuture<WireTokens> {
        rest.call(.POST, "/v1/sessions/refresh", body: WireRefreshRequest(), mayRepeat: true, answer: WireTokens.self)
    }

    private func client(of servers: [any Channel]) -> RelayREST {
        RelayREST(
            http: .shared, on: HTTPClient.shared.eventLoopGroup.next(),
            addresses: servers.compactMap { RelayAddress("http://127.0.0.1:\($0.localAddress?.port ?? 0)") },
            timeout: Self.patience)
    }

    /// Two listeners: one accepts and says nothing, as a node that stands still; one answers with tokens.
    ///
    /// - Parameter body: is told too how many requests the silent one got.
    private func withServers(
        _ body: (_ silent: any Channel, _ answering: any Channel, _ asked: Count) async throws -> Void
    ) async throws {
        let asked = Count()
        let silent = try await listen { channel in
            try channel.pipeline.syncOperations.addHandler(Silence(asked: asked))
        }
        let answering = try await listen { channel in
            try channel.pipeline.syncOperations.addHandler(Answer())
        }
        try await body(silent, answering, asked)
        try await silent.close()
        try await answering.close()
    }

    private func listen(_ prepare: @escaping @Sendable (any Channel) throws -> Void) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try prepare(channel) } }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    private final class Count: Sendable {
        private let count = Mutex(0)

        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }

    private final class Silence: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let asked: Count

        init(asked: Count) { self.asked = asked }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // A request's body may come apart from its head.
            if unwrapInboundIn(data).readableBytesView.starts(with: "POST".utf8) { asked.add() }
        }
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let body = "{\"user\":\"0000000000001\",\"device\":\"0000000000002\",\"refreshToken\":\"next\"}"
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            context.writeAndFlush(NIOAny(ByteBuffer(string: head + body)), promise: nil)
        }
    }
}
