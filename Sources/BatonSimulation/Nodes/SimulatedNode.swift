import BatonCore
import BatonGateway
import BatonRedis
import BatonTestKit
import CoreMetrics
import Logging
import NIOCore

/// A relay node: the relay's own code on the world's loop, with the simulated store, Redis and sockets around it. It can
/// be killed and started again, as another incarnation with nothing of the old one's memory.
final class SimulatedNode {
    let name: String
    let clock: SimulatedClock
    private(set) var life: Life?
    /// How many connections there were to it, for the trace.
    private(set) var accepted = 0

    private let world: SimulatedWorld
    private let disk: SimulatedDisk
    private let redis: SimulatedRedis
    private let shape: SimulationShape
    private var lastIncarnation: UInt64 = 0
    /// Where it dies when it next comes there, and for how long it stays down.
    private var armed: (point: Failpoint, down: Int64)?

    init(
        _ name: String, _ world: SimulatedWorld, _ disk: SimulatedDisk, _ redis: SimulatedRedis,
        _ shape: SimulationShape
    ) {
        self.name = name
        self.world = world
        self.disk = disk
        self.redis = redis
        self.shape = shape
        clock = SimulatedClock(world)
    }

    var isUp: Bool { life?.isAlive ?? false }

    func start() {
        guard !isUp, !world.isOver else { return }
        world.note(name, "starts")
        life = Life(self)
    }

    /// As `kill -9`: nothing more comes from it, its sockets break.
    func crash() {
        guard let life, life.isAlive else { return }
        world.note(name, "is killed")
        life.end()
        self.life = nil
    }

    /// It dies when it next passes a point, and is started again.
    func arm(_ point: Failpoint, down: Int64) { armed = (point, down) }

    func disarm() { armed = nil }

    fileprivate func passed(_ point: Failpoint, _ life: Life) {
        guard let armed, armed.point == point, life.isAlive else { return }
        self.armed = nil
        world.note(name, "dies at \(point)")
        // Nothing leaves it from now on; it is taken apart when the code that passed the point is through.
        life.freeze()
        world.after(.nanoseconds(0)) { [self] in
            life.end()
            if self.life === life { self.life = nil }
        }
        world.after(.milliseconds(max(1, armed.down))) { [self] in start() }
    }

    /// As SIGTERM: it moves its connections elsewhere, gives its lease up, and ends.
    func stop(_ completion: @escaping () -> Void) {
        guard let life, life.isAlive else { return completion() }
        world.note(name, "evacuates")
        life.evacuate { [self] in
            guard life.isAlive else { return completion() }
            world.note(name, "stops")
            life.end()
            if self.life === life { self.life = nil }
            completion()
        }
    }

    /// Another start holds the lease: this one ends, and whoever watches over processes starts it again.
    private func superseded() {
        world.note(name, "was superseded")
        stop { [self] in world.after(.seconds(1)) { [self] in start() } }
    }

    /// What a client's knock comes to: a connection, or nothing, or milliseconds to wait.
    enum Answer {
        case connected(SimulatedConnection)
        case busy(milliseconds: Int)
        case nobody
    }

    func accept(_ principal: Principal, for device: SimulatedDevice) -> Answer {
        guard let life, life.isAlive else { return .nobody }
        accepted += 1
        return life.accept(principal, for: device)
    }
}

extension SimulatedNode {
    /// From one start of the process to its end.
    final class Life {
        private(set) var isAlive = true
        private var hasEnded = false
        private(set) var isEvacuating = false
        let name: String
        let world: SimulatedWorld
        let relay: RelayNode
        let incarnation: UInt64
        private let store: SimulatedStore
        private var loops: [RelayLoop] = []
        private var redisLoops: [RedisLoop] = []
        private var keeper: LeaseKeeper?
        private var passing: Passing?
        private(set) var connections: [SimulatedConnection] = []

        private static let silence = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })

        init(_ node: SimulatedNode) {
            name = node.name
            world = node.world
            // The time of the start, and above the one before, as a real node finds it in its lease.
            incarnation = max(UInt64(clamping: node.clock.now.milliseconds), node.lastIncarnation + 1)
            node.lastIncarnation = incarnation
            store = SimulatedStore(node.world, disk: node.disk, node: node.name)
            #if DEBUG
                store.plant(node.shape.plantedBug)
            #endif
            // A simulation names its nodes itself.
            guard let id = NodeID(node.name) else { preconditionFailure("\(node.name) is no node's name") }
            var settings = RelaySettings(node: id, incarnation: incarnation)
            settings.random = node.world.relayRandom
            node.shape.adjust(&settings)
            if node.shape.hasFailpoints {
                let bound = NIOLoopBound(Passing(node: node), eventLoop: world.eventLoop)
                settings.failpoints = Failpoints(Set(Failpoint.allCases)) { bound.value.passed($0) }
                passing = bound.value
            }
            relay = RelayNode(settings: settings, metrics: RelayMetrics(factory: NOOPMetricsHandler.instance))
            passing?.life = self
            for index in 0..<node.shape.loopsPerNode { addLoop(index, id, node) }
            startKeeper(id, node)
        }

        /// Who is asked at a failpoint.
        private final class Passing {
            weak var node: SimulatedNode?
            weak var life: Life?

            init(node: SimulatedNode) { self.node = node }

            func passed(_ point: Failpoint) {
                if let life { node?.passed(point, life) }
            }
        }

        /// Nothing leaves it any more, and nothing reaches it.
        func freeze() {
            isAlive = false
            store.die()
        }

        private func addLoop(_ index: Int, _ id: NodeID, _ node: SimulatedNode) {
            var settings = RedisSettings(url: RedisURL(host: "simulated", port: 6379))
            settings.random = node.world.relayRandom
            #if DEBUG
                settings.plantedBug = node.shape.plantedBug
            #endif
            let bound = NIOLoopBound((node.redis, self), eventLoop: world.eventLoop)
            settings.transport = { _ in bound.value.0.connect(from: bound.value.1) }
            let redis: RedisLoop
            do {
                redis = try RedisLoop(
                    eventLoop: world.eventLoop, node: id, index: index, settings: settings, logger: Self.silence)
            } catch {
                preconditionFailure("only TLS settings can be wrong, and there are none: \(error)")
            }
            redisLoops.append(redis)
            let loop = RelayLoop(
                eventLoop: world.eventLoop, node: relay, store: store, conversations: node.shape.conversations,
                bus: redis.bus, sessions: redis.sessions, presence: redis.presence, clock: node.clock,
                logger: Self.silence, lastSeen: { _, _ in })
            // Everybody knows everybody here.
            let eventLoop = world.eventLoop
            loop.acquaintances = { _, others in eventLoop.makeSucceededFuture(Set(others)) }
            loops.append(loop)
            redis.start()
        }

        private func startKeeper(_ id: NodeID, _ node: SimulatedNode) {
            let lease = NodeLease(
                node: id, incarnation: incarnation, address: "\(node.name):8080", state: .up, connections: 0,
                since: node.clock.now)
            let keeper = LeaseKeeper(
                lease: lease, redis: (redisLoops[0].nodes, redisLoops[0].presence), relay: loops[0], node: relay,
                clock: node.clock, logger: Self.silence, onRenewal: { _ in },
                onSuperseded: { [weak node] in node?.superseded() })
            keeper.start()
            self.keeper = keeper
        }

        func accept(_ principal: Principal, for device: SimulatedDevice) -> Answer {
            if isEvacuating { return .nobody }
            if let milliseconds = relay.admit(at: world.eventLoop.now) { return .busy(milliseconds: milliseconds) }
            let loop = loops[Int.random(in: 0..<loops.count, using: &world.random)]
            let connection = SimulatedConnection(self, principal, loop, device)
            connections.append(connection)
            return .connected(connection)
        }

        func gone(_ connection: SimulatedConnection) { connections.removeAll { $0 === connection } }

        func evacuate(_ completion: @escaping () -> Void) {
            isEvacuating = true
            keeper?.evacuating()
            let finish = { [self] in
                guard isAlive, let keeper else { return completion() }
                // The lease is given up as far as Redis can be reached; nobody waits for it longer than a command.
                keeper.stop { completion() }
            }
            guard let done = relay.evacuate() else { return finish() }
            done.assumeIsolated().whenComplete { _ in finish() }
        }

        func end() {
            guard !hasEnded else { return }
            hasEnded = true
            freeze()
            keeper?.stop {}
            keeper = nil
            for loop in loops { loop.stop() }
            for connection in connections { connection.nodeDied() }
            connections = []
            for redis in redisLoops { redis.close() }
            loops = []
            redisLoops = []
        }
    }
}

@available(*, unavailable) extension SimulatedNode: Sendable {}
@available(*, unavailable) extension SimulatedNode.Life: Sendable {}
