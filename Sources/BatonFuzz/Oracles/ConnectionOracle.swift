import BatonCore
import BatonGateway
import BatonProtocol
import BatonTestKit
import Logging
import NIOCore
import NIOEmbedded

/// What a client says in one connection, a line of JSON a frame, to a node whose store and registries are in memory.
///
/// Both encodings are spoken: a client of either gets the same answers to the same frames.
enum ConnectionOracle: FuzzOracle {
    static let largest = Limits.Frame.messageBytes

    static func work(_ bytes: [UInt8]) { _ = Talk(lines(bytes).map { ClientFrames.frame(1, $0) }, as: .json) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let lines = lines(bytes)
        let raw = Talk(lines.map { ClientFrames.frame(1, $0) }, as: .json)
        try checkAnswers(raw, to: lines)

        let frames = lines.compactMap { line -> WireClientFrame? in
            guard let content = try? FrameCodec.decode(line, as: .json) else { return nil }
            var frame = WireClientFrame()
            frame.frame = content
            return frame
        }
        let json = Talk(frames, as: .json)
        let proto = Talk(frames, as: .proto)
        try expect(json.frames == proto.frames, "JSON is answered with \(json.frames), protobuf with \(proto.frames)")
        let codes = [json.closeCode ?? 0, proto.closeCode ?? 0]
        try expect(codes[0] == codes[1], "JSON ends with \(codes[0]), protobuf with \(codes[1])")
    }

    /// Watching and typing ask the store on another thread, which these loops do not have: those lines are left out.
    private static func lines(_ bytes: [UInt8]) -> [[UInt8]] {
        let lines = bytes.split(separator: UInt8(ascii: "\n")).map(Array.init)
        return lines.filter { line in
            switch try? FrameCodec.decode(line, as: .json) {
            case .watch, .typing: false
            default: true
            }
        }
    }

    /// While a connection is open, each frame that has an answer gets one.
    private static func checkAnswers(_ talk: Talk, to lines: [[UInt8]]) throws(FuzzFinding) {
        try expect(talk.isReadable, "the node sent what is no frame of a server")
        var due = Due(isClosed: talk.closeCode != nil)
        for line in lines { due.asked(DecodedFrame(line, as: .json)) }
        for frame in talk.frames { try due.answered(frame) }
        guard talk.closeCode == nil else { return }
        try expect(due.isSettled, "without an answer are \(due.rest)")
    }

    /// What a client waits for.
    private struct Due {
        private var refs: [String: Int] = [:]
        private var pings = 0
        /// Frames that may be answered by an error or not at all.
        private var maybe: Int

        /// - Parameter isClosed: the node ended the connection. Its close may have an error before it that answers no frame,
        ///   such as that a hello was expected.
        init(isClosed: Bool) { maybe = isClosed ? 1 : 0 }

        var isSettled: Bool { refs.values.allSatisfy { $0 == 0 } && pings == 0 }
        var rest: String { "\(refs.filter { $0.value != 0 }), and \(pings) pings" }

        mutating func asked(_ frame: DecodedFrame) {
            switch frame {
            case .frame(.send(let send)) where !send.ref.isEmpty: refs[send.ref, default: 0] += 1
            case .frame(.ping): pings += 1
            case .wrong(let error):
                if let ref = error.ref {
                    refs[ref, default: 0] += 1
                } else if error.error.frame == "ping" {
                    pings += 1
                } else {
                    maybe += 1
                }
            case .frame: maybe += 1
            }
        }

        mutating func answered(_ frame: WireServerFrame.OneOf_Frame) throws(FuzzFinding) {
            switch frame {
            case .accepted(let accepted): try answered(accepted.ref)
            case .rejected(let rejected): try answered(rejected.ref)
            case .pong: pings -= 1
            case .error(let error):
                if error.frame == "ping" { pings -= 1 } else { maybe -= 1 }
                try WireErrorOracle.check(error)
            default: break
            }
            try expect(pings >= 0 && maybe >= 0, "more is answered than was asked")
        }

        private mutating func answered(_ ref: String) throws(FuzzFinding) {
            let count = (refs[ref] ?? 0) - 1
            try expect(count >= 0, "\(ref) is answered more often than it was sent")
            refs[ref] = count
        }
    }
}

/// A connection from its first frame on, and what the node sent.
private struct Talk {
    private(set) var frames: [WireServerFrame.OneOf_Frame] = []
    private(set) var closeCode: UInt16?
    private(set) var isReadable = true

    private static let user = UserID(rawValue: 0x0123_4567_89ab_cdef)
    private static let friend = UserID(rawValue: 0x0123_4567_89ab_cdf0)
    private static let device = DeviceID(rawValue: 2)
    private static let start = Timestamp(milliseconds: 1_767_225_600_000)

    init(_ frames: [WireClientFrame], as encoding: Subprotocol) {
        self.init(
            frames.compactMap { frame in
                let payload = try? FrameCodec.encode(frame, as: encoding)
                return payload.map { ClientFrames.frame(encoding == .json ? 1 : 2, $0) }
            }, as: encoding)
    }

    init(_ pieces: [[UInt8]], as encoding: Subprotocol) {
        let eventLoop = EmbeddedEventLoop()
        guard let loop = Self.makeLoop(on: eventLoop) else { return }
        let principal = Principal(
            user: Self.user, device: Self.device, expiresAt: Self.start.advanced(byMilliseconds: 900_000))
        let channel = EmbeddedChannel(loop: eventLoop)
        channel.connect(to: FuzzAddress.peer, promise: nil)
        let handlers: [any ChannelHandler] = [
            WebSocketHandler(), RelayHandler(principal: principal, encoding: encoding, loop: loop),
        ]
        try? channel.pipeline.syncOperations.addHandlers(handlers)
        for piece in pieces {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: piece))
            channel.pipeline.fireChannelReadComplete()
            eventLoop.run()
            take(channel, encoding)
        }
        eventLoop.advanceTime(by: .seconds(1))
        take(channel, encoding)
        loop.stop()
        channel.close(promise: nil)
        eventLoop.run()
    }

    private static func makeLoop(on eventLoop: EmbeddedEventLoop) -> RelayLoop? {
        guard let node = NodeID("a") else { return nil }
        let store = InMemoryMessageStore()
        for user in [user, friend] { store.addUser(user) }
        store.addDevice(device, of: user)
        store.addDevice(DeviceID(rawValue: 3), of: friend)
        let cluster = InMemoryCluster()
        return RelayLoop(
            eventLoop: eventLoop, node: RelayNode(settings: RelaySettings(node: node, incarnation: 1)), store: store,
            conversations: InMemoryConversationStore(accounts: InMemoryAccountStore()), bus: InMemoryBus(cluster),
            sessions: InMemorySessionRegistry(cluster), presence: InMemoryPresenceRegistry(cluster),
            buckets: InMemorySharedBuckets(cluster), clock: MutableClock(start),
            logger: Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() }), lastSeen: { _, _ in })
    }

    /// Takes what the node sent, and answers its pings as clients do.
    private mutating func take(_ channel: EmbeddedChannel, _ encoding: Subprotocol) {
        while var bytes = (try? channel.readOutbound(as: ByteBuffer.self)) ?? nil {
            for frame in ServerFrame.readAll(from: &bytes) {
                switch frame.opcode {
                case 0x1, 0x2:
                    let isOfEncoding = (frame.opcode == 0x1) == (encoding == .json)
                    let content = try? FrameCodec.decodeServerFrame(frame.payload, as: encoding).frame
                    if let content, isOfEncoding { frames.append(content) } else { isReadable = false }
                case 0x8: closeCode = frame.closeCode ?? 1005
                case 0x9:
                    channel.pipeline.fireChannelRead(ByteBuffer(bytes: ClientFrames.pong(frame.payload)))
                    channel.pipeline.fireChannelReadComplete()
                    channel.embeddedEventLoop.run()
                default: break
                }
            }
            if bytes.readableBytes > 0 { isReadable = false }
        }
    }
}
