import BatonCore
import BatonProtocol
import BatonTestKit
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

/// Typing and watching ask the conversations, which answer on other threads.
@Suite("Typing and watching")
struct EphemeralTests {
    @Test("Acquaintances are watched, those who have not answered and strangers are left out")
    func watch() async throws {
        let relay = try await EphemeralRelay()
        let watcher = try await relay.greet(1)
        try await watcher.send { $0.watch.users = [2, 3].map { UserID(rawValue: $0).description } }
        guard case .presence(let offline) = try await watcher.next() else {
            Issue.record("no presence")
            return
        }
        #expect(offline.user == UserID(rawValue: 2).description && !offline.online)
        _ = try await relay.greet(3)
        _ = try await relay.greet(2)
        guard case .presence(let online) = try await watcher.next() else {
            Issue.record("no presence")
            return
        }
        #expect(online.user == UserID(rawValue: 2).description && online.online)
        try await relay.end()
    }

    @Test("A watch replaces the one before, and its end unsubscribes")
    func watchReplaces() async throws {
        let relay = try await EphemeralRelay()
        let watcher = try await relay.greet(1)
        try await watcher.send { $0.watch.users = [UserID(rawValue: 2).description] }
        _ = try await watcher.next()
        #expect(try await relay.watched() == [UserID(rawValue: 2)])
        try await watcher.send { $0.watch.users = [UserID(rawValue: 4).description] }
        _ = try await watcher.next()
        #expect(try await relay.watched() == [UserID(rawValue: 4)])
        try await watcher.channel.close()
        #expect(try await relay.watched() == [])
        try await relay.end()
    }

    @Test("As many users as allowed are watched, one more is an error")
    func watchLimit() async throws {
        let relay = try await EphemeralRelay()
        let watcher = try await relay.greet(1)
        let limit = UInt64(Limits.Connection.watchedUsers)
        try await watcher.send { $0.watch.users = (1...(limit + 1)).map { UserID(rawValue: $0).description } }
        #expect(try await watcher.nextError() == ErrorCode.invalidField.rawValue)
        try await watcher.send { $0.watch.users = (1...limit).map { UserID(rawValue: $0).description } }
        guard case .presence = try await watcher.next() else {
            Issue.record("no presence")
            return
        }
        try await relay.end()
    }

    @Test("Typing is shown to acquaintances; to others it is not, and nobody is told so")
    func typing() async throws {
        let relay = try await EphemeralRelay()
        let (one, two) = (try await relay.greet(1), try await relay.greet(2))
        try await one.send { frame in
            frame.typing.conversation = EphemeralRelay.conversation(1, 2)
            frame.typing.active = true
        }
        guard case .typing(let notice) = try await two.next() else {
            Issue.record("no notice")
            return
        }
        #expect(notice.user == UserID(rawValue: 1).description && notice.active)
        // More often than wrong frames are taken.
        let three = try await relay.greet(3)
        for _ in 0...Limits.Connection.wrongFrames {
            try await one.send { $0.typing.conversation = EphemeralRelay.conversation(1, 3) }
        }
        #expect(try await relay.answers(one, "alive"))
        try await one.send { $0.typing.conversation = EphemeralRelay.conversation(2, 4) }
        #expect(try await one.nextError() == ErrorCode.unknownConversation.rawValue)
        #expect(try await relay.answers(three, "nothing was shown"))
        try await relay.end()
    }

    @Test("So many typing and watch frames a second are taken, and a second later as many again")
    func rate() async throws {
        let relay = try await EphemeralRelay()
        let (one, two) = (try await relay.greet(1), try await relay.greet(2))
        for round in 0..<2 {
            for _ in 0..<Limits.Connection.ephemeralPerSecond {
                try await one.send { $0.typing.conversation = EphemeralRelay.conversation(1, 2) }
                guard case .typing = try await two.next() else {
                    Issue.record("no notice")
                    return
                }
            }
            try await one.send { $0.typing.conversation = EphemeralRelay.conversation(1, 2) }
            #expect(try await one.nextError() == ErrorCode.rateLimited.rawValue, "round \(round)")
            await relay.loop.advanceTime(by: .seconds(1))
        }
        try await relay.end()
    }
}

/// One loop of one node whose conversations may answer from any thread. Users 1 to 4; 1 is acquainted with 2 and with 4, and 3
/// has not answered.
private final class EphemeralRelay: Sendable {
    let loop = NIOAsyncTestingEventLoop()
    private let parts: NIOLoopBound<Parts>

    private struct Parts {
        let relay: RelayLoop
        let bus: InMemoryBus
    }

    init() async throws {
        let loop = loop
        parts = try await loop.executeInContext {
            let (store, conversations) = (InMemoryMessageStore(), InMemoryConversationStore(accounts: .init()))
            for number in UInt64(1)...4 {
                store.addUser(UserID(rawValue: number))
                store.addDevice(DeviceID(rawValue: number), of: UserID(rawValue: number))
            }
            let at = Timestamp(milliseconds: 1)
            for (sender, other) in [(1, 2), (2, 1), (1, 4), (4, 1), (1, 3)].map({ ($0 as UInt64, $1 as UInt64) }) {
                conversations.send([], from: UserID(rawValue: sender), to: UserID(rawValue: other), at: at)
            }
            let cluster = InMemoryCluster()
            let bus = InMemoryBus(cluster)
            guard let name = NodeID("a") else { throw ChannelError.unknownLocalAddress }
            let node = RelayNode(settings: RelaySettings(node: name, incarnation: 1))
            let relay = RelayLoop(
                eventLoop: loop, node: node, store: store, conversations: conversations, bus: bus,
                sessions: InMemorySessionRegistry(cluster), presence: InMemoryPresenceRegistry(cluster),
                buckets: InMemorySharedBuckets(cluster), clock: MutableClock(),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                lastSeen: { _, _ in })
            return NIOLoopBound(Parts(relay: relay, bus: bus), eventLoop: loop)
        }
    }

    static func conversation(_ one: UInt64, _ other: UInt64) -> String {
        ConversationID(between: UserID(rawValue: one), and: UserID(rawValue: other))?.description ?? ""
    }

    func greet(_ number: UInt64) async throws -> EphemeralClient {
        let channel = NIOAsyncTestingChannel(loop: loop)
        let parts = parts
        try await channel.connect(to: SocketAddress(unixDomainSocketPath: "/client")).get()
        try await loop.executeInContext {
            let principal = Principal(
                user: UserID(rawValue: number), device: DeviceID(rawValue: number),
                expiresAt: Timestamp(milliseconds: .max))
            try channel.pipeline.syncOperations.addHandlers([
                WebSocketHandler(), RelayHandler(principal: principal, encoding: .proto, loop: parts.value.relay),
            ])
        }
        let client = EphemeralClient(channel: channel)
        try await client.send { $0.hello.client = "test" }
        while true {
            if case .caughtUp = try await client.next() { return client }
        }
    }

    /// Whether the next frame is the answer to a ping of this connection.
    func answers(_ client: EphemeralClient, _ nonce: String) async throws -> Bool {
        try await client.send { $0.ping.nonce = nonce }
        if case .pong(let pong) = try await client.next() { return pong.nonce == nonce }
        return false
    }

    func watched() async throws -> Set<UserID> {
        let parts = parts
        return try await loop.executeInContext {
            Set(parts.value.bus.subscribed.compactMap { if case .watch(let user) = $0 { user } else { nil } })
        }
    }

    func end() async throws {
        let parts = parts
        try await loop.executeInContext { parts.value.relay.stop() }
    }
}

private actor EphemeralClient {
    let channel: NIOAsyncTestingChannel
    private var received = ByteBuffer()
    private var frames: [ServerFrame] = []

    init(channel: NIOAsyncTestingChannel) { self.channel = channel }

    func send(_ build: @Sendable (inout WireClientFrame) -> Void) async throws {
        var frame = WireClientFrame()
        build(&frame)
        let bytes = ClientFrames.binary(try FrameCodec.encode(frame, as: .proto))
        _ = try await channel.writeInbound(ByteBuffer(bytes: bytes))
        await channel.testingEventLoop.run()
    }

    /// The next frame, which is waited for.
    func next() async throws -> WireServerFrame.OneOf_Frame? {
        while frames.isEmpty {
            var buffer = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
            received.writeBuffer(&buffer)
            for frame in ServerFrame.readAll(from: &received) {
                if frame.opcode == 0x9 { try await answer(frame) } else { frames.append(frame) }
            }
        }
        return try FrameCodec.decodeServerFrame(frames.removeFirst().payload, as: .proto).frame
    }

    private func answer(_ ping: ServerFrame) async throws {
        _ = try await channel.writeInbound(ByteBuffer(bytes: ClientFrames.pong(ping.payload)))
        await channel.testingEventLoop.run()
    }

    func nextError() async throws -> String? {
        if case .error(let error) = try await next() { error.code } else { nil }
    }
}
