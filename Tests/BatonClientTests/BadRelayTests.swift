import BatonCore
import BatonProtocol
import NIOCore
import NIOWebSocket
import Testing

@testable import BatonClient

@Suite("A client at a relay that says too much", .timeLimit(.minutes(1)))
struct BadRelayTests {
    /// Says what it has to say at once, and listens to nothing.
    private final class Impatient: ChannelInboundHandler {
        typealias InboundIn = NIOWebSocket.WebSocketFrame
        typealias OutboundOut = NIOWebSocket.WebSocketFrame
        private let frames: [[UInt8]]

        init(frames: [[UInt8]]) { self.frames = frames }

        func handlerAdded(context: ChannelHandlerContext) {
            for frame in frames {
                let data = context.channel.allocator.buffer(bytes: frame)
                context.write(wrapOutboundOut(OutboundOut(fin: true, opcode: .binary, data: data)), promise: nil)
            }
            context.flush()
        }
    }

    /// Accepts WebSockets, and says the same on each.
    private func listen(
        saying frames: [WireServerFrame], _ connections: AsyncStream<Void>.Continuation? = nil
    ) async throws -> any Channel {
        let frames = try frames.map { try FrameCodec.encode($0, as: .proto) }
        return try await WebSocketListener.bind {
            connections?.yield()
            return Impatient(frames: frames)
        }
    }

    @Test("A client leaves one that breaks the protocol, and goes on looking for one that does not")
    func looksOn() async throws {
        let (connections, continuation) = AsyncStream.makeStream(of: Void.self)
        let listener = try await listen(saying: [Self.caughtUp], continuation)
        let client = try BatonClient(try Self.configuration(of: listener))
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

    @Test("So many notices wait for an application that takes none, and what is no notice waits behind them")
    func notices() async throws {
        let (welcome, typing) = (Self.welcome, try Self.typing())
        let listener = try await listen(
            saying: [welcome] + Array(repeating: typing, count: BatonClient.queuedEvents + 1) + [Self.caughtUp])
        let (caughtUp, continuation) = AsyncStream.makeStream(of: Void.self)
        var configuration = try Self.configuration(of: listener)
        configuration.observer = { if case .caughtUp = $0 { continuation.finish() } }
        let client = try BatonClient(configuration)
        try await client.connect()
        for await _ in caughtUp {}

        var notices = 0
        for await event in client.events {
            if case .typing = event { notices += 1 }
            if case .caughtUp = event { break }
        }
        #expect(notices == BatonClient.queuedEvents)
        await client.close()
        try await listener.close()
    }

    @Test("However often it says that all was delivered, the application is told once")
    func caughtUpOnce() async throws {
        let listener = try await listen(
            saying: [Self.welcome] + Array(repeating: Self.caughtUp, count: 9) + [try Self.typing()])
        let client = try BatonClient(try Self.configuration(of: listener))
        try await client.connect()

        var told = 0
        for await event in client.events {
            if case .caughtUp = event { told += 1 }
            if case .typing = event { break }
        }
        #expect(told == 1)
        await client.close()
        try await listener.close()
    }

    private static var welcome: WireServerFrame {
        var frame = WireServerFrame()
        frame.welcome.user = user.description
        frame.welcome.device = device.description
        frame.welcome.node = "n1"
        frame.welcome.epoch = Epoch(rawValue: 5).description
        frame.welcome.outcome = .resumed
        return frame
    }

    private static func typing() throws -> WireServerFrame {
        var frame = WireServerFrame()
        frame.typing.user = UserID(rawValue: 3).description
        frame.typing.conversation = try #require(
            ConversationID(between: user, and: UserID(rawValue: 3))
        ).description
        frame.typing.active = true
        return frame
    }

    private static let user = UserID(rawValue: 1)
    private static let device = DeviceID(rawValue: 2)

    private static var caughtUp: WireServerFrame {
        var frame = WireServerFrame()
        frame.caughtUp.inboxSequence = 0
        return frame
    }

    private static func configuration(of listener: any Channel) throws -> ClientConfiguration {
        let port = try #require(listener.localAddress?.port)
        var configuration = ClientConfiguration(
            addresses: [try #require(RelayAddress("http://127.0.0.1:\(port)"))])
        configuration.tokenProvider = {
            IssuedToken(user: user, device: device, accessToken: "token", lifetime: .seconds(600))
        }
        return configuration
    }
}
