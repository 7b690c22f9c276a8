import BatonCore
import BatonGateway
import BatonRedis
import BatonTestKit
import CoreMetrics
import Logging
import NIOCore

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
        /// The process' own: what waits for it waits while it stands still.
        let loop: SimulatedEventLoop
        private let store: SimulatedStore
        private var loops: [RelayLoop] = []
        private var redisLoops: [RedisLoop] = []
        private var keeper: LeaseKeeper?
        private var passing: Passing?
        private(set) var connections: [SimulatedConnection] = []
        /// What reached its sockets while it stands still.
        private var arrived: [() -> Void] = []
        /// What it was about to send when it stopped.
        private var departing: [() -> Void] = []

        private static let silence = Logger(label: "simulation", factory: { _ in SwiftLogNoOpLogHandler() })

        init(_ node: SimulatedNode) {
            name = node.name
            world = node.world
            // The time of the start, and above the one before, as a real node finds it in its lease.
            incarnation = max(UInt64(clamping: node.clock.now.milliseconds), node.lastIncarnation + 1)
            node.lastIncarnation = incarnation
            loop = SimulatedEventLoop(node.world.time)
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
                let bound = NIOLoopBound(Passing(node: node), eventLoop: loop)
                settings.failpoints = Failpoints(Set(Failpoint.allCases)) { bound.value.passed($0) }
                passing = bound.value
            }
            relay = RelayNode(settings: settings, metrics: RelayMetrics(factory: NOOPMetricsHandler.instance))
            passing?.life = self
            store.onPassed { [weak self, weak node] point in
                if let self { node?.passed(point, self) }
            }
            for index in 0..<node.shape.loopsPerNode { addLoop(index, id, node) }
            startKeeper(id, node)
        }

        /// Who is asked at a failpoint.
        private final class Passing {
            weak var node: SimulatedNode?
            weak var life: Life?

            init(node: SimulatedNode) { self.node = node }

            func passed(_ point: Failpoint) {
                if let life { node?.passed(.relay(point), life) }
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
            settings.seal = ClusterSeal(
                keys: [ClusterSeal.Key(bytes: [1], created: Timestamp(milliseconds: 0))], clock: node.clock)
            #if DEBUG
                settings.plantedBug = node.shape.plantedBug
            #endif
            let bound = NIOLoopBound((node.redis, self), eventLoop: loop)
            settings.transport = { _ in bound.value.0.connect(from: bound.value.1) }
            let redis: RedisLoop
            do {
                redis = try RedisLoop(
                    eventLoop: self.loop, node: id, index: index, settings: settings, logger: Self.silence)
            } catch {
                preconditionFailure("only TLS settings can be wrong, and there are none: \(error)")
            }
            redisLoops.append(redis)
            let relayLoop = RelayLoop(
                eventLoop: loop, node: relay, store: store, conversations: node.shape.conversations,
                bus: redis.bus, sessions: redis.sessions, presence: redis.presence, buckets: redis.buckets,
                clock: node.clock,
                logger: Self.silence, lastSeen: { _, _ in })
            let (eventLoop, acquaintances) = (loop, node.disk.acquaintances)
            relayLoop.acquaintances = { user, others in
                eventLoop.makeSucceededFuture(Set(others.filter { acquaintances.know(user, $0) }))
            }
            loops.append(relayLoop)
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

        // MARK: Standing still

        var isStill: Bool { loop.isStill }

        func standStill() {
            loop.stop()
            store.standStill()
        }

        /// What waits in its sockets and what became due are both there at once, in either order.
        func goOn() {
            guard isStill, isAlive else { return }
            world.note(name, "goes on")
            let (arrived, departing) = (arrived, departing)
            self.arrived = []
            self.departing = []
            for body in departing { body() }
            let isTimeFirst = Bool.random(using: &world.random)
            if isTimeFirst { loop.goOn() }
            for body in arrived { loop.assumeIsolated().execute(body) }
            if !isTimeFirst { loop.goOn() }
            store.goOn()
        }

        /// Something reaches one of its sockets.
        func arrive(_ body: @escaping () -> Void) {
            if isStill { arrived.append(body) } else { body() }
        }

        /// Something leaves it. Where it stopped at a point, the code behind that point ran, and what it sent leaves
        /// when the process goes on.
        func leave(_ body: @escaping () -> Void) {
            if isStill { departing.append(body) } else { body() }
        }

        /// Somebody asked it to revoke a device, which the store did: it ends the device's connections, and tells the others.
        func announceRevoked(_ device: DeviceID, of user: UserID) {
            relay.revoke(device, of: user)
            redisLoops.first?.bus.publish(.revoked(device), to: .user(user), receivers: nil)
        }

        /// Somebody told it that what two users may see of each other has changed: it tells its loops, and the others.
        func announceAcquaintance(of user: UserID, and other: UserID) {
            relay.acquaintanceChanged(of: user, and: other)
            redisLoops.first?.bus.publish(.acquaintance(other), to: .user(user), receivers: nil)
            redisLoops.first?.bus.publish(.acquaintance(user), to: .user(other), receivers: nil)
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
            loop.goOn()
            let late = arrived
            arrived = []
            departing = []
            for body in late { body() }
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

@available(*, unavailable) extension SimulatedNode.Life: Sendable {}
