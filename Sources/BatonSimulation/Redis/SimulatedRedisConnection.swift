import BatonRedis
import NIOCore

/// One connection of a node to the simulated Redis: a channel on the node's side, a queue each way, both in order.
final class SimulatedRedisConnection {
    let channel: SimulatedChannel
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

    init(_ redis: SimulatedRedis, _ node: SimulatedNode.Life, number: Int) {
        self.redis = redis
        self.node = node
        self.number = number
        channel = SimulatedChannel(on: node.loop)
        channel.onFlush { [weak self] in self?.sent($0) }
        channel.onClosed { [weak self] in self?.closed() }
    }

    /// The connection breaks: the node learns it, Redis forgets it.
    func cut() {
        guard !isCut else { return }
        isCut = true
        redis.gone(self)
        let (node, channel) = (node, channel)
        redis.world.after(redis.world.microseconds(redis.latency)) {
            node.arrive { channel.close(promise: nil) }
        }
    }

    /// An answer, or a published message; several of one moment travel together.
    func reply(_ reply: RedisReply) {
        guard !isCut else { return }
        let isFirst = replies.isEmpty
        reply.write(to: &replies)
        guard isFirst else { return }
        lastReply = max(lastReply, redis.world.eventLoop.now + redis.world.microseconds(redis.latency))
        redis.world.at(lastReply) { [self] in
            let buffer = ByteBuffer(bytes: replies)
            replies = []
            guard !isCut else { return }
            node.arrive { [self] in
                if node.isAlive { channel.receive(buffer) }
            }
        }
    }

    private func sent(_ buffer: ByteBuffer) {
        node.leave { [self] in travel(buffer) }
    }

    private func travel(_ buffer: ByteBuffer) {
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
