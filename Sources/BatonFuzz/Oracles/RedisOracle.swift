import BatonCore
import BatonRedis
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

/// What Redis sends, or what stands in its place: to the parser alone, and as the replies to what a node asks.
///
/// The input's first byte says how much of the rest goes to the connection of the subscriptions.
enum RedisOracle: FuzzOracle {
    static let largest = 64 * 1024
    private static let replyBytes = 1 << 20

    static func work(_ bytes: [UInt8]) { _ = Replies([bytes[...]]) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        guard let first = bytes.first else { return }
        let rest = bytes.dropFirst()
        try checkReplies(Array(rest))
        let split = rest.startIndex + rest.count * Int(first) / 255
        try Questions().ask(replies: rest[..<split], published: rest[split...])
    }

    private static func checkReplies(_ bytes: [UInt8]) throws(FuzzFinding) {
        let whole = Replies([bytes[...]])
        for pieces in Pieces.ways(to: bytes) {
            let other = Replies(pieces)
            try expect(other == whole, "in \(pieces.count) pieces it is \(other), in one \(whole)")
        }
        var written: [UInt8] = []
        for value in whole.values { write(value, to: &written) }
        let again = Replies([written[...]])
        try expect(again.values == whole.values && !again.isBroken, "\(whole.values) is read as \(again.values)")
    }

    /// What the parser makes of bytes.
    private struct Replies: Equatable {
        var values: [RedisValue] = []
        var isBroken = false

        init(_ pieces: [ArraySlice<UInt8>]) {
            var parser = ReplyParser(replyBytes: RedisOracle.replyBytes)
            do {
                for piece in pieces {
                    try piece.withUnsafeBytes { bytes in try parser.feed(bytes) }
                    while let value = try parser.next() { values.append(value) }
                }
            } catch {
                isBroken = true
            }
        }
    }

    private static func write(_ value: RedisValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes += "$-1\r\n".utf8
        case .integer(let number): bytes += ":\(number)\r\n".utf8
        case .error(let text): bytes += "-\(text)\r\n".utf8
        case .string(let string):
            bytes += "$\(string.count)\r\n".utf8
            bytes += string
            bytes += "\r\n".utf8
        case .array(let values):
            bytes += "*\(values.count)\r\n".utf8
            for value in values { write(value, to: &bytes) }
        }
    }
}

/// A node's connections to Redis, on which it asks everything that it ever asks.
private final class Questions {
    private let eventLoop = EmbeddedEventLoop()
    private let receiver = Receiver()
    /// How often each question was answered.
    private var answers: [String: Int] = [:]
    private var isGenerous = false
    private let user = UserID(rawValue: 0x0123_4567_89ab_cdef)
    private let now = Timestamp(milliseconds: 1_767_225_600_000)

    func ask(replies: ArraySlice<UInt8>, published: ArraySlice<UInt8>) throws(FuzzFinding) {
        let channels = Channels()
        guard let node = NodeID("a"), let loop = makeLoop(node, channels) else {
            throw FuzzFinding("the node could not be made")
        }
        loop.bus.receiver = receiver
        loop.start()
        eventLoop.run()
        guard let (commands, subscriber) = channels.pair else { throw FuzzFinding("the node made no connections") }
        greet(commands, subscriber)
        try expect(loop.health.isConnected, "the node is not connected")
        askEverything(of: loop, as: node)
        eventLoop.run()
        let asked = Set(answers.keys)
        Self.send(published, on: subscriber)
        Self.send(replies, on: commands)
        eventLoop.run()
        loop.close()
        eventLoop.run()
        try expect(asked == Set(answers.keys), "what was not asked was answered")
        for (question, count) in answers { try expect(count == 1, "\(question) was answered \(count) times") }
        try expect(!isGenerous, "a bucket gave more than was asked for")
        try expect(receiver.believed.isEmpty, "without proof it is believed: \(receiver.believed)")
    }

    private func makeLoop(_ node: NodeID, _ channels: Channels) -> RedisLoop? {
        var settings = RedisSettings(url: RedisURL(host: "127.0.0.1", port: 1))
        settings.seal = ClusterSeal(
            keys: [ClusterSeal.Key(bytes: Array(0..<32), created: Timestamp(milliseconds: 0))],
            clock: StandingClock(now: now))
        settings.transport = { channels.connect(on: $0) }
        return try? RedisLoop(
            eventLoop: eventLoop, node: node, index: 0, settings: settings,
            logger: Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// What a Redis answers to a node that connects.
    private func greet(_ commands: EmbeddedChannel, _ subscriber: EmbeddedChannel) {
        let scripts = String(repeating: "$1\r\nh\r\n", count: ScriptFile.allCases.count)
        Self.send(Array("+OK\r\n\(scripts)+PONG\r\n".utf8)[...], on: commands)
        Self.send(Array("+OK\r\n+PONG\r\n".utf8)[...], on: subscriber)
        let subscribed = "*3\r\n$9\r\nsubscribe\r\n$16\r\nuser:{probe.a.0}\r\n:1\r\n"
        Self.send(Array(subscribed.utf8)[...], on: subscriber)
        // The first probe is published at once.
        Self.send(Array(":1\r\n".utf8)[...], on: commands)
        eventLoop.run()
    }

    private func askEverything(of loop: RedisLoop, as node: NodeID) {
        let session = Session(
            user: user, device: DeviceID(rawValue: 2), node: node, incarnation: 7, generation: .first, since: now,
            client: "fuzz/1")
        let lease = NodeLease(
            node: node, incarnation: 7, address: "127.0.0.1:1", state: .up, connections: 1, since: now)
        let bucket = RateLimitBucket(who: "u", what: "w", capacity: 16, secondsPerToken: 1)
        func answered(_ question: String) -> () -> Void {
            answers[question] = 0
            return { self.answers[question, default: 0] += 1 }
        }
        let (nodes, renewed, cleaned) = (answered("nodes"), answered("renewLease"), answered("cleanUp"))
        let (wrote, removed, online) = (answered("write"), answered("remove"), answered("heartbeat"))
        let (left, read, subscribed) = (answered("leave"), answered("presence"), answered("subscribe"))
        let (published, drawn, released) = (answered("publish"), answered("draw"), answered("releaseLease"))
        let drawnAgain = answered("draw again")
        var budget = SendBudget(SendLimits(), loops: 1)
        let limit = SendLimit.messages
        loop.buckets.draw(.init(spent: 0, wanted: 16, least: 1), from: bucket) { [self] granted, wait in
            isGenerous = isGenerous || granted > 16 || granted < 0
            budget.drew(granted, of: limit, waitMilliseconds: wait, at: 1_000)
            drawn()
        }
        loop.buckets.draw(.init(spent: 0, wanted: 16, least: 1), from: bucket) { granted, wait in
            budget.drew(granted, of: limit, waitMilliseconds: wait, at: 1_000)
            _ = budget.wait(for: limit, at: 2_000)
            drawnAgain()
        }
        loop.nodes.nodes { _ in nodes() }
        loop.nodes.renewLease(lease) { _ in renewed() }
        loop.nodes.removeSessionsOfDeadNodes(by: node) { _ in cleaned() }
        loop.sessions.write([session]) { _ in wrote() }
        loop.sessions.remove(session) { _ in removed() }
        loop.presence.heartbeat([user], at: now) { _ in online() }
        loop.presence.leave([user], at: now) { _ in left() }
        loop.presence.presence(of: [user]) { _ in read() }
        loop.bus.subscribe(.user(user)) { _ in subscribed() }
        loop.bus.publish(.revoked(DeviceID(rawValue: 2)), to: .user(user)) { _ in published() }
        loop.nodes.releaseLease(lease) { released() }
    }

    private static func send(_ bytes: ArraySlice<UInt8>, on channel: EmbeddedChannel) {
        guard channel.isActive, !bytes.isEmpty else { return }
        channel.pipeline.fireChannelRead(ByteBuffer(bytes: bytes))
        channel.pipeline.fireChannelReadComplete()
    }

    private struct StandingClock: CivilClock {
        var now: Timestamp
    }

    /// What others are told because of what came.
    private final class Receiver: BusReceiver {
        var believed: [BusMessage] = []

        func received(_ message: BusMessage, on channel: BusChannel) {
            switch message {
            case .event, .typing: believed.append(message)
            case .head, .displaced, .revoked, .acquaintance, .presence: break
            }
        }

        func subscriptionsLost() {}
        func subscriptionsRestored() {}
    }

    /// Connections without a network. The first is that of the commands.
    private final class Channels: Sendable {
        private let made = Mutex<[EmbeddedChannel]>([])

        var pair: (EmbeddedChannel, EmbeddedChannel)? {
            made.withLock { $0.count == 2 ? ($0[0], $0[1]) : nil }
        }

        func connect(on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
            guard let embedded = eventLoop as? EmbeddedEventLoop else {
                return eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
            }
            let channel = EmbeddedChannel(loop: embedded)
            channel.connect(to: FuzzAddress.peer, promise: nil)
            made.withLock { $0.append(channel) }
            return eventLoop.makeSucceededFuture(channel)
        }
    }
}
