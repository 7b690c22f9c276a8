import BatonCore
import BatonProtocol
import BatonTestKit
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

/// Nodes of one loop each, on ports in memory and a time that stands still until it is moved.
final class RelayFixture {
    let eventLoop = EmbeddedEventLoop()
    let cluster = InMemoryCluster()
    let store = GatedMessageStore()
    let metrics = CountingMetrics()
    let clock = MutableClock(Timestamp(milliseconds: 1_800_000_000_000))
    private(set) var lastSeen: [(user: UserID, at: Timestamp)] = []
    private var loops: [RelayLoop] = []
    /// Of the loops, in their order.
    private(set) var buckets: [InMemorySharedBuckets] = []
    /// Tests do what no person does.
    private static let sending: SendLimits = {
        var limits = SendLimits()
        limits.messagesPerMinute = 1_000_000_000
        limits.bytesPerMinute = 1_000_000_000_000
        limits.conversationsPerHour = 1_000_000_000
        limits.strangerMessagesPerHour = 1_000_000_000
        return limits
    }()
    private var clients: [RelayClient] = []

    /// - Parameter adjust: changes the settings of the first node.
    init(_ adjust: (inout RelaySettings) -> Void = { _ in }) {
        addNode("a", adjust)
    }

    deinit {
        for loop in loops { loop.stop() }
        for client in clients { client.channel.close(promise: nil) }
        eventLoop.run()
    }

    /// The first node's loop.
    var loop: RelayLoop { loops[0] }
    var node: RelayNode { loop.node }

    @discardableResult
    func addNode(_ name: String, _ adjust: (inout RelaySettings) -> Void = { _ in }) -> RelayLoop {
        var settings = RelaySettings(node: NodeID(name) ?? NodeID.fallback, incarnation: 1)
        settings.sending = Self.sending
        adjust(&settings)
        return addLoop(to: RelayNode(settings: settings, metrics: RelayMetrics(factory: metrics)))
    }

    @discardableResult
    func addLoop(to node: RelayNode, presence: (any PresenceRegistry)? = nil) -> RelayLoop {
        let bus = InMemoryBus(cluster)
        buses.append(bus)
        let buckets = InMemorySharedBuckets(cluster)
        self.buckets.append(buckets)
        let loop = RelayLoop(
            eventLoop: eventLoop, node: node, store: store,
            conversations: InMemoryConversationStore(accounts: InMemoryAccountStore()), bus: UncountedBus(bus),
            sessions: InMemorySessionRegistry(cluster), presence: presence ?? InMemoryPresenceRegistry(cluster),
            buckets: buckets, clock: clock,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            lastSeen: { [weak self] user, at in self?.lastSeen.append((user, at)) })
        loops.append(loop)
        return loop
    }

    private(set) var buses: [InMemoryBus] = []

    // MARK: People

    func addUser(_ number: UInt64, devices: [UInt64] = [1]) -> UserID {
        let user = UserID(rawValue: number)
        store.inner.addUser(user)
        for device in devices { store.inner.addDevice(self.device(device, of: user), of: user) }
        return user
    }

    func device(_ number: UInt64, of user: UserID) -> DeviceID { DeviceID(rawValue: user.rawValue * 1_000 + number) }

    /// A connection that has said nothing yet.
    func connect(
        _ user: UserID, device: UInt64 = 1, encoding: Subprotocol = .proto, on loop: RelayLoop? = nil,
        isCounted: Bool = true
    ) -> RelayClient {
        let principal = Principal(
            user: user, device: self.device(device, of: user), expiresAt: clock.now.advanced(byMilliseconds: 900_000))
        let client = RelayClient(
            principal: principal, encoding: encoding, loop: loop ?? self.loop, on: eventLoop, isCounted: isCounted)
        clients.append(client)
        return client
    }

    /// A connection that was welcomed and has caught up.
    func greet(
        _ user: UserID, device: UInt64 = 1, encoding: Subprotocol = .proto, on loop: RelayLoop? = nil
    ) -> RelayClient {
        let client = connect(user, device: device, encoding: encoding, on: loop)
        client.hello()
        client.drop()
        return client
    }

    /// Stores messages from one user to another without any connection, and without hints.
    func store(_ count: Int, from sender: UserID, to user: UserID, text: String = "stored") throws {
        let conversation = try #require(ConversationID(between: sender, and: user))
        for _ in 0..<count {
            stored += 1
            var content = WireContent()
            content.text = text
            let payload = try EventFrame.payload(
                conversation: conversation, sender: sender, device: device(1, of: sender), ref: "s\(stored)",
                content: content)
            let request = SendRequest(
                sender: sender, device: device(1, of: sender), ref: "s\(stored)", target: .user(user),
                payload: payload, at: clock.now)
            store.inner.submit([.send(request)]) { _ in }
        }
    }

    private var stored = 0

    // MARK: Time

    func run() { eventLoop.run() }

    func advance(seconds: Int64) {
        for _ in 0..<seconds {
            clock.advance(by: .seconds(1))
            cluster.now = cluster.now.advanced(byMilliseconds: 1_000)
            eventLoop.advanceTime(by: .seconds(1))
        }
    }
}

extension NodeID {
    fileprivate static let fallback = NodeID("node").unsafelyUnwrapped
}

/// A client that speaks to a relay's handlers without a network.
final class RelayClient {
    let channel: EmbeddedChannel
    let handler: RelayHandler
    let reads = Counted()
    private let encoding: Subprotocol
    private let eventLoop: EmbeddedEventLoop
    private(set) var closeCode: UInt16?
    private(set) var closeReason = ""
    /// Those without a payload.
    private(set) var pings = 0
    /// Pings with one are answered, as clients do, when their frames are read.
    var answersPings = true
    private var unanswered: [[UInt8]] = []

    init(
        principal: Principal, encoding: Subprotocol, loop: RelayLoop, on eventLoop: EmbeddedEventLoop,
        isCounted: Bool = true
    ) {
        self.encoding = encoding
        self.eventLoop = eventLoop
        channel = EmbeddedChannel(loop: eventLoop)
        handler = RelayHandler(principal: principal, encoding: encoding, loop: loop, isCounted: isCounted)
        channel.connect(to: Self.address, promise: nil)
        do {
            try channel.pipeline.syncOperations.addHandlers([ReadCounter(reads), WebSocketHandler(), handler])
        } catch {
            Issue.record(error)
        }
        reads.count = 0
    }

    private static let address = (try? SocketAddress(unixDomainSocketPath: "/client")).unsafelyUnwrapped

    var user: UserID { handler.principal.user }
    var isConnected: Bool { channel.isActive }

    func send(_ build: @escaping (inout WireClientFrame) -> Void) {
        sendTogether([build])
    }

    /// Several frames that arrive in one piece.
    func sendTogether(_ builds: [(inout WireClientFrame) -> Void]) {
        var bytes: [UInt8] = []
        for build in builds {
            var frame = WireClientFrame()
            build(&frame)
            guard let payload = try? FrameCodec.encode(frame, as: encoding) else { continue }
            bytes += ClientFrames.frame(encoding == .proto ? 0x2 : 0x1, payload)
        }
        receive(bytes)
    }

    /// A binary frame of a payload.
    static func bytes(of payload: [UInt8]) -> [UInt8] { ClientFrames.frame(0x2, payload) }

    /// Payloads as they are, right or wrong, in one piece.
    func receive(payloads: [[UInt8]]) {
        receive(payloads.flatMap { ClientFrames.frame(encoding == .proto ? 0x2 : 0x1, $0) })
    }

    /// Bytes as they are.
    func receive(_ bytes: [UInt8]) {
        do {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
        } catch {
            Issue.record(error)
        }
        eventLoop.run()
    }

    func hello(resume: (epoch: Epoch, position: UInt64)? = nil) {
        send { frame in
            frame.hello.client = "test"
            if let resume {
                frame.hello.resume.epoch = resume.epoch.description
                frame.hello.resume.inboxSequence = resume.position
            }
        }
    }

    func message(_ ref: String, to user: UserID, _ text: String = "hello") {
        send { Self.fill(&$0, ref, user, text) }
    }

    static func fill(_ frame: inout WireClientFrame, _ ref: String, _ user: UserID, _ text: String) {
        frame.send.ref = ref
        frame.send.user = user.description
        frame.send.content.text = text
    }

    /// An acknowledgement, and the time after which it is stored.
    func ack(_ position: UInt64) {
        send { $0.ack.inboxSequence = position }
        eventLoop.advanceTime(by: .milliseconds(Limits.Connection.acknowledgementDelayMilliseconds))
    }

    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.syncOperations.fireChannelWritabilityChanged()
        eventLoop.run()
    }

    // MARK: What came

    /// The frames since the last call. Closes and pings are kept apart.
    func frames() -> [WireServerFrame.OneOf_Frame] {
        eventLoop.run()
        var frames = written()
        while answersPings, !unanswered.isEmpty {
            answerPings()
            frames += written()
        }
        return frames
    }

    /// Those that came are not answered any more.
    func forgetPings() { unanswered = [] }

    func answerPings() {
        let payloads = unanswered
        unanswered = []
        for payload in payloads where isConnected { receive(ClientFrames.pong(payload)) }
    }

    /// Those of them that have left, in the midst of what the loop does.
    func written() -> [WireServerFrame.OneOf_Frame] {
        var all = ByteBuffer()
        while var buffer = try? channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&buffer) }
        var frames: [WireServerFrame.OneOf_Frame] = []
        for frame in ServerFrame.readAll(from: &all) {
            switch frame.opcode {
            case 0x8:
                closeCode = frame.closeCode
                closeReason = String(decoding: frame.payload.dropFirst(2), as: UTF8.self)
            case 0x9:
                if frame.payload.isEmpty { pings += 1 } else { unanswered.append(frame.payload) }
            case encoding == .proto ? 0x2 : 0x1:
                do {
                    let content = try FrameCodec.decodeServerFrame(frame.payload, as: encoding).frame
                    frames.append(try #require(content))
                } catch {
                    Issue.record(error)
                }
            default: Issue.record("an unexpected frame: \(frame)")
            }
        }
        return frames
    }

    func drop() { _ = frames() }

    /// What we were closed with, if we were.
    func close() -> CloseCode? {
        drop()
        return closeCode.flatMap(CloseCode.init(rawValue:))
    }

    /// The inbox sequences of the events since the last call; other frames are dropped.
    func events() -> [UInt64] {
        frames().compactMap { if case .event(let event) = $0 { event.inboxSequence } else { nil } }
    }

    func errors() -> [String] {
        frames().compactMap { frame in
            switch frame {
            case .error(let error): error.code
            case .rejected(let rejected): rejected.error.code
            default: nil
            }
        }
    }

    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        private let reads: Counted
        init(_ reads: Counted) { self.reads = reads }

        func read(context: ChannelHandlerContext) {
            reads.count += 1
            context.read()
        }
    }
}

@available(*, unavailable) extension RelayFixture: Sendable {}
@available(*, unavailable) extension RelayClient: Sendable {}
