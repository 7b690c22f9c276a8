import BatonRedis
import NIOCore

/// A Redis on virtual time: one thread, keys with their TTLs, pub/sub, and the relay's scripts in plain Swift. It speaks
/// Redis' protocol, so that the nodes' own connections, bus and registries run against it.
final class SimulatedRedis {
    let world: SimulatedWorld
    let keys: SimulatedKeys
    /// While false no client can connect, and those that were connected are cut off.
    private(set) var isUp = true
    /// Answers nothing before this moment, then all at once.
    private(set) var stalledUntil = NIODeadline.uptimeNanoseconds(0)
    /// Published messages reach a subscriber with this probability only.
    var losing = 0.0
    /// ... and this often twice.
    var doubling = 0.0
    /// Writes are refused with this error.
    var refusal: String?
    var latency: ClosedRange<Int64> = 30...400

    /// Called with a session that was removed by somebody who said whose it is.
    var onRemovedSession: (_ key: String, _ device: String, _ text: String) -> Void = { _, _, _ in }

    /// Called with a session in whose place another one of the same device was written.
    var onReplacedSession: (_ key: String, _ before: String, _ after: String) -> Void = { _, _, _ in }

    private var connections: [SimulatedRedisConnection] = []
    private var subscribers: [String: [SimulatedRedisConnection]] = [:]
    private var nextNumber = 0

    init(_ world: SimulatedWorld) {
        self.world = world
        keys = SimulatedKeys(world)
        keys.onRemovedSession = { [unowned self] in onRemovedSession($0, $1, $2) }
        keys.onReplacedSession = { [unowned self] in onReplacedSession($0, $1, $2) }
    }

    // MARK: Faults

    func stop() {
        isUp = false
        for connection in connections { connection.cut() }
    }

    func empty() { keys.empty() }

    func start(isEmptied: Bool) {
        if isEmptied { empty() }
        stalledUntil = world.eventLoop.now
        isUp = true
    }

    func stall(for time: TimeAmount) { stalledUntil = max(stalledUntil, world.eventLoop.now + time) }

    /// Forgets who subscribed to what, though the connections live: as after a failover.
    func deafen() { subscribers = [:] }

    func cutSubscribers() {
        for connection in connections where connection.isSubscriber { connection.cut() }
    }

    // MARK: Connections

    func connect(from node: SimulatedNode.Life) -> EventLoopFuture<any Channel> {
        let promise = node.loop.makePromise(of: (any Channel).self)
        world.after(world.microseconds(latency)) { [self] in
            node.arrive { [self] in
                guard isUp, node.isAlive else {
                    promise.fail(ChannelError.connectTimeout(.seconds(1)))
                    return
                }
                nextNumber += 1
                let connection = SimulatedRedisConnection(self, node, number: nextNumber)
                connections.append(connection)
                promise.succeed(connection.channel)
            }
        }
        return promise.futureResult
    }

    func gone(_ connection: SimulatedRedisConnection) {
        connections.removeAll { $0 === connection }
        for channel in connection.channels { subscribers[channel]?.removeAll { $0 === connection } }
    }

    // MARK: Pub/sub

    func subscribe(_ connection: SimulatedRedisConnection, to channel: String) {
        connection.channels.insert(channel)
        if subscribers[channel]?.contains(where: { $0 === connection }) != true {
            subscribers[channel, default: []].append(connection)
        }
    }

    func unsubscribe(_ connection: SimulatedRedisConnection, from channel: String) {
        connection.channels.remove(channel)
        subscribers[channel]?.removeAll { $0 === connection }
        if subscribers[channel]?.isEmpty == true { subscribers[channel] = nil }
    }

    /// - Returns: how many connections are subscribed; whether they hear it is another matter.
    func publish(_ payload: [UInt8], to channel: String) -> Int {
        let listeners = subscribers[channel] ?? []
        let reply = RedisReply.array([.bulk(Array("message".utf8)), .bulk(Array(channel.utf8)), .bulk(payload)])
        for listener in listeners {
            if world.happens(losing) {
                world.note("redis", "loses a message on \(channel)")
                continue
            }
            listener.reply(reply)
            if world.happens(doubling) { listener.reply(reply) }
        }
        return listeners.count
    }

    /// Channels with a subscriber, but for the nodes' probes.
    var channels: [String] {
        subscribers.filter { !$0.value.isEmpty && !$0.key.hasPrefix("user:{probe.") }.keys.sorted()
    }
}

@available(*, unavailable) extension SimulatedRedis: Sendable {}
