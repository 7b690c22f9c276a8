import BatonRedis
import NIOCore
import NIOEmbedded

/// One connection of a node to the simulated Redis: a channel on the node's side, a queue each way, both in order.
final class SimulatedRedisConnection {
    let channel: EmbeddedChannel
    let number: Int
    /// What it is subscribed to.
    var channels: Set<String> = []
    private(set) var isSubscriber = false

    private let redis: SimulatedRedis
    private let node: SimulatedNode.Life
    private var reader = RedisCommandReader()
    private var lastArrival = NIODeadline.uptimeNanoseconds(0)
    private var lastReply = NIODeadline.uptimeNanoseconds(0)
    private var replies: [UInt8] = []
    private var isCut = false

    private static let address = try? SocketAddress(unixDomainSocketPath: "/redis")

    init(_ redis: SimulatedRedis, _ node: SimulatedNode.Life, number: Int) {
        self.redis = redis
        self.node = node
        self.number = number
        channel = EmbeddedChannel(loop: redis.world.eventLoop)
        let wire = SimulatedWire()
        wire.onFlush = { [weak self] in self?.sent($0) }
        wire.onClosed = { [weak self] in self?.closed() }
        try? channel.pipeline.syncOperations.addHandler(wire)
        if let address = Self.address { channel.connect(to: address, promise: nil) }
    }

    /// The connection breaks: the node learns it, Redis forgets it.
    func cut() {
        guard !isCut else { return }
        isCut = true
        redis.gone(self)
        let channel = channel
        redis.world.after(redis.world.microseconds(redis.latency)) { channel.close(promise: nil) }
    }

    /// An answer, or a published message; several of one moment travel together.
    func reply(_ reply: RedisReply) {
        guard !isCut else { return }
        let isFirst = replies.isEmpty
        reply.write(to: &replies)
        guard isFirst else { return }
        lastReply = max(lastReply, redis.world.eventLoop.now + redis.world.microseconds(redis.latency))
        redis.world.at(lastReply) { [self] in
            let bytes = replies
            replies = []
            guard !isCut, node.isAlive, channel.isActive else { return }
            // A broken reply closes the channel, which is told there.
            _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        }
    }

    private func sent(_ buffer: ByteBuffer) {
        guard !isCut, node.isAlive else { return }
        let world = redis.world
        lastArrival = max(lastArrival, world.eventLoop.now + world.microseconds(redis.latency))
        world.at(lastArrival) { [self] in arrived(buffer) }
    }

    private func arrived(_ buffer: ByteBuffer) {
        guard !isCut else { return }
        // What reached a stopped process waits for it in the socket.
        if redis.stalledUntil > redis.world.eventLoop.now {
            lastArrival = max(lastArrival, redis.stalledUntil)
            return redis.world.at(redis.stalledUntil) { [self] in arrived(buffer) }
        }
        reader.feed(buffer.readableBytesView)
        while let command = reader.next() { carryOut(command) }
    }

    private func carryOut(_ command: [[UInt8]]) {
        let words = command.map { String(decoding: $0, as: UTF8.self) }
        switch words[0] {
        case "SUBSCRIBE":
            isSubscriber = true
            for channel in words.dropFirst() {
                redis.subscribe(self, to: channel)
                reply(.array([.text("subscribe"), .text(channel), .integer(channels.count)]))
            }
        case "UNSUBSCRIBE":
            for channel in words.dropFirst() {
                redis.unsubscribe(self, from: channel)
                reply(.array([.text("unsubscribe"), .text(channel), .integer(channels.count)]))
            }
        case "PUBLISH":
            reply(.integer(redis.publish(command[2], to: words[1])))
        default:
            if let refusal = redis.refusal, SimulatedKeys.isWrite(words[0]) {
                reply(.error(refusal))
            } else {
                reply(redis.keys.carryOut(words, command))
            }
        }
    }

    private func closed() {
        guard !isCut else { return }
        isCut = true
        redis.world.after(redis.world.microseconds(redis.latency)) { [self] in redis.gone(self) }
    }
}

@available(*, unavailable) extension SimulatedRedisConnection: Sendable {}
