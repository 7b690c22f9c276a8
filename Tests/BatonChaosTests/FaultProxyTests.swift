import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import BatonChaos
@testable import BatonHistory

/// Real sockets on loopback: a client, the proxy, and a server that says everything back.
@Suite("The proxy that breaks connections", .timeLimit(.minutes(1)))
struct FaultProxyTests {
    @Test("Carries bytes both ways, and the end of either side")
    func carries() async throws {
        try await withProxy { proxy, client in
            try await client.say("hello")
            try await client.hears("hello")
            #expect(proxy.connectionCount == 1)
            try await client.close()
        }
    }

    @Test("More than anybody buffers arrives whole, and in order")
    func backpressure() async throws {
        try await withProxy { _, client in
            let text = String(repeating: "0123456789abcdef", count: 4 * ProxyLink.bufferLimit / 16)
            try await client.say(text)
            try await client.hears(text)
        }
    }

    @Test("A black hole accepts and swallows; who was in it is reset when it ends")
    func blackHole() async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.blackHole)
            try await client.say("lost")
            let late = try await Peer.connect(to: proxy.port)
            try await late.say("lost too")
            try await proxy.hasSwallowed(12)
            try await proxy.set(nil)
            try await client.isReset()
            try await late.isReset()
            let next = try await Peer.connect(to: proxy.port)
            try await next.say("found")
            try await next.hears("found")
        }
    }

    @Test("A connection that said nothing in the black hole lives on")
    func blackHoleSpares() async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.blackHole)
            try await proxy.set(nil)
            try await client.say("still there")
            try await client.hears("still there")
        }
    }

    @Test("A reset comes in the middle of what is said")
    func reset() async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.reset)
            try await client.say("0123456789")
            try await client.isReset()
            try await proxy.isEmpty()
        }
    }

    @Test("One way: one end is heard and the other is not", arguments: [LinkEnd.client, .server])
    func oneWay(mute: LinkEnd) async throws {
        try await withProxy(greeting: true) { proxy, client in
            try await proxy.set(.oneWay(from: mute))
            // The server says everything back, and greets by itself once it has heard of `greet`.
            let other = try await Peer.connect(to: proxy.port)
            if mute == .client { try await other.hears("welcome") }
            try await other.say("x")
            try await proxy.hasSwallowed(1)
            try await proxy.set(nil)
            try await other.isReset()
        }
    }

    @Test("Slow: it arrives later, and in order")
    func slow() async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.slow(.milliseconds(50)))
            let start = ContinuousClock.now
            try await client.say("a")
            try await client.say("b")
            try await client.hears("ab")
            #expect(ContinuousClock.now - start >= .milliseconds(100))
        }
    }

    @Test("Dribble: a byte at a time, and whole in the end")
    func dribble() async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.dribble(every: .milliseconds(1)))
            let start = ContinuousClock.now
            try await client.say("one byte after the other")
            try await client.hears("one byte after the other")
            // A busy client reads several at once: that they came one by one is seen by the time that they took.
            #expect(ContinuousClock.now - start >= .milliseconds(23))
        }
    }

    @Test("Half open: one end is told, the other is not, also when it is over", arguments: [LinkEnd.client, .server])
    func halfOpen(closing end: LinkEnd) async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.halfOpen(closing: end))
            if end == .client {
                try await client.isClosed()
            } else {
                try await client.say("is anybody there?")
                try await proxy.set(nil)
                #expect(proxy.connectionCount == 1)
            }
            let next = try await Peer.connect(to: proxy.port)
            try await next.say("yes")
            try await next.hears("yes")
        }
    }

    @Test("Refuse: connections are reset, further ones refused, and accepted again on the same port")
    func refuse() async throws {
        try await withProxy { proxy, client in
            try await proxy.set(.refuse)
            try await client.isReset()
            await #expect(throws: (any Error).self) { try await Peer.connect(to: proxy.port) }
            try await proxy.set(nil)
            let next = try await Peer.connect(to: proxy.port)
            try await next.say("again")
            try await next.hears("again")
        }
    }

    @Test("A herd: every connection is reset at once, and may come back at once")
    func herd() async throws {
        try await withProxy { proxy, client in
            let other = try await Peer.connect(to: proxy.port)
            try await other.say("x")
            try await other.hears("x")
            try await proxy.dropAll()
            try await client.isReset()
            try await other.isReset()
            try await proxy.isEmpty()
        }
    }

    @Test("Where nobody listens behind it, its clients are reset")
    func nobody() async throws {
        try await withProxy { proxy, client in
            let lonely = FaultProxy(port: 0, to: 1)
            try await lonely.start()
            do {
                let other = try await Peer.connect(to: lonely.port)
                try await other.isReset()
            } catch let error as NIOConnectionError {
                // It may come before the client has seen its own connection.
                #expect("\(error)".contains("reset"))
            }
            await lonely.stop()
        }
    }

    /// A server, a proxy before it, and a client that has said something and was answered.
    private func withProxy(
        greeting: Bool = false, _ body: (FaultProxy, Peer) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Echo(isGreeting: greeting))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let proxy = FaultProxy(port: 0, to: try #require(server.localAddress?.port))
        try await proxy.start()
        do {
            let client = try await Peer.connect(to: proxy.port)
            if greeting { try await client.hears("welcome") }
            try await client.say("a")
            try await client.hears("a")
            try await body(proxy, client)
        } catch {
            await proxy.stop()
            try await server.close()
            throw error
        }
        await proxy.stop()
        try await server.close()
    }
}

extension FaultProxy {
    fileprivate func hasSwallowed(_ count: Int) async throws {
        while swallowedBytes < count { try await ContinuousClock().sleep(for: .milliseconds(1)) }
    }

    /// The other end of a connection may close a moment later.
    fileprivate func isEmpty() async throws {
        while connectionCount > 0 { try await ContinuousClock().sleep(for: .milliseconds(1)) }
    }
}

/// A server that says everything back.
private final class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let isGreeting: Bool

    init(isGreeting: Bool) { self.isGreeting = isGreeting }

    func channelActive(context: ChannelHandlerContext) {
        if isGreeting { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "welcome")), promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.writeAndFlush(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A client's socket.
private struct Peer {
    private struct State {
        var text = ""
        var isClosed = false
        var wasReset = false
    }

    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let state = Mutex(State())
        let changes: AsyncStream<Void>
        private let changed: AsyncStream<Void>.Continuation

        init() { (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

        private func change(_ body: (inout State) -> Void) {
            state.withLock { body(&$0) }
            changed.yield()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            change { $0.text += String(buffer: bytes) }
        }

        func channelInactive(context: ChannelHandlerContext) { change { $0.isClosed = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            change { $0.wasReset = (error as? IOError)?.errnoCode == ECONNRESET }
            context.close(promise: nil)
        }
    }

    private let channel: any Channel
    private let ear: Ear

    static func connect(to port: Int) async throws -> Peer {
        let ear = Ear()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(ear) }
            .connect(host: "127.0.0.1", port: port).get()
        return Peer(channel: channel, ear: ear)
    }

    func say(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    /// Waits until it has heard exactly this, and forgets it.
    func hears(_ text: String) async throws {
        try await until { $0.text.utf8.count >= text.utf8.count }
        ear.state.withLock { state in
            #expect(state.text == text)
            state.text = ""
        }
    }

    func isClosed() async throws { try await until { $0.isClosed } }

    func isReset() async throws {
        try await until { $0.isClosed }
        #expect(ear.state.withLock { $0.wasReset })
    }

    func close() async throws { try await channel.close() }

    private func until(_ isSo: (State) -> Bool) async throws {
        if ear.state.withLock({ isSo($0) }) { return }
        for await _ in ear.changes where ear.state.withLock({ isSo($0) }) { return }
        throw CancellationError()
    }
}
