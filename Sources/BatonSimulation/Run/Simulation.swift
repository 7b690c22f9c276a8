import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore

/// One schedule: a cluster, its clients, its load and its faults, all chosen by a seed, and the verdict.
///
/// 1. Starts nodes, connects devices.
/// 2. Sends and breaks things for a while.
/// 3. Mends everything, and waits until nothing is under way any more: a bounded time.
/// 4. Reads everything, waits again, and checks histories and what is left in Redis.
package final class Simulation {
    let world: SimulatedWorld
    let disk: SimulatedDisk
    let redis: SimulatedRedis
    let shape: SimulationShape
    private(set) var nodes: [SimulatedNode] = []
    private(set) var devices: [SimulatedDevice] = []
    private(set) var failures: [SimulationFailure] = []
    private let seed: UInt64

    init(
        seed: UInt64, trace: SimulationTrace, steps: Int = SimulationBounds.steps,
        _ adjust: (inout SimulationShape) -> Void = { _ in }
    ) {
        self.seed = seed
        world = SimulatedWorld(seed: seed, trace: trace, steps: steps)
        var shape = SimulationShape(using: &world.random)
        adjust(&shape)
        self.shape = shape
        world.network = shape.network
        disk = SimulatedDisk(world)
        disk.latency = shape.disk
        redis = SimulatedRedis(world)
        redis.latency = shape.redis
    }

    /// Runs the schedule of a seed: the same one each time.
    ///
    /// - Parameter steps: how many it may take.
    package static func run(seed: UInt64, isTraced: Bool = false, steps: Int = SimulationBounds.steps)
        -> SimulationOutcome
    {
        Simulation(seed: seed, trace: SimulationTrace(isOn: isTraced), steps: steps).whole()
    }

    static func run(seed: UInt64, trace: SimulationTrace) -> SimulationOutcome {
        Simulation(seed: seed, trace: trace).whole()
    }

    func whole() -> SimulationOutcome {
        run()
        let outcome = outcome
        end()
        return outcome
    }

    private func run() {
        world.note("seed \(seed)", shape.text)
        populate()
        let plan = load()
        world.time.pass(until: .uptimeNanoseconds(0) + .milliseconds(max(shape.loadMilliseconds, plan) + 1))
        mend()
        // Also where all conditions hold: a cluster that never comes to rest is wrong.
        guard !world.time.isExhausted else {
            return fail("endless", "more than \(world.time.steps) steps before everything was mended")
        }
        guard settle("settled", within: SimulationBounds.settleSeconds, isQuiet) else { return }
        guard settle("displaced", within: SimulationBounds.displacementSeconds, isDisplacedGone) else { return }
        readAll()
        guard settle("read", within: SimulationBounds.settleSeconds, isEverythingRead) else { return }
        guard settle("present", within: SimulationBounds.settleSeconds, isPresenceRight) else { return }
        guard settle("registered", within: SimulationBounds.settleSeconds, isRegistryRight) else { return }
        checkHistories()
    }

    // MARK: 1. Beginning

    private func populate() {
        for number in 1...shape.nodes { nodes.append(SimulatedNode("node-\(number)", world, disk, redis, shape)) }
        redis.onRemovedSession = { [unowned self] in checkRemoved($0, of: $1, $2) }
        redis.onReplacedSession = { [unowned self] in checkReplaced($0, $1, $2) }
        for node in nodes { node.start() }
        for number in 1...UInt64(shape.users) {
            disk.messages.addUser(UserID(rawValue: number))
            addDevice(1, of: number)
        }
        for number in 0..<shape.secondDevices { addDevice(2, of: UInt64(number + 1)) }
        if shape.hasStrangers { disk.acquaintances.separate(UserID(rawValue: 1), UserID(rawValue: 2)) }
        for device in devices {
            world.after(world.microseconds(0...50_000)) { device.begin() }
        }
    }

    private func addDevice(_ number: UInt64, of user: UInt64) {
        let (id, owner) = (DeviceID(rawValue: user * 10 + number), UserID(rawValue: user))
        disk.messages.addDevice(id, of: owner)
        let encoding: Subprotocol = world.happens(0.5) ? .json : .proto
        let device = SimulatedDevice("u\(user)-d\(number)", owner, id, encoding, world, nodes)
        device.applying = shape.applying
        device.watched = (1...UInt64(shape.users)).filter { $0 != user }.map(UserID.init(rawValue:))
        devices.append(device)
    }

    // MARK: 2. Load and faults

    /// - Returns: the milliseconds after which all has begun.
    private func load() -> Int64 {
        for _ in 0..<shape.messages {
            let device = devices[Int.random(in: 0..<devices.count, using: &world.random)]
            let peers = device.watched.filter { disk.acquaintances.mayWrite(device.user, $0) }
            let peer = peers[Int.random(in: 0..<peers.count, using: &world.random)]
            let moment = Int64.random(in: 0...shape.loadMilliseconds, using: &world.random)
            world.after(.milliseconds(moment)) { device.send(to: peer) }
        }
        for _ in 0..<shape.typings {
            let device = devices[Int.random(in: 0..<devices.count, using: &world.random)]
            let peer = device.watched[Int.random(in: 0..<device.watched.count, using: &world.random)]
            let isActive = world.happens(0.7)
            let moment = Int64.random(in: 0...shape.loadMilliseconds, using: &world.random)
            world.after(.milliseconds(moment)) { device.type(to: peer, isActive: isActive) }
        }
        var last: Int64 = 0
        for _ in 0..<shape.faults {
            let moment = Int64.random(in: 0...shape.loadMilliseconds, using: &world.random)
            let fault = SimulatedFault.random(
                nodes: nodes.count, devices: devices.count, hasFailpoints: shape.hasFailpoints, using: &world.random)
            last = max(last, moment + fault.minimumMilliseconds)
            world.after(.milliseconds(moment)) { [unowned self] in inject(fault) }
        }
        return last
    }

    // MARK: 3. Settling

    /// Lets time pass until something holds.
    private func settle(_ name: String, within seconds: Int64, _ condition: () -> String?) -> Bool {
        let deadline = world.time.now + .seconds(seconds)
        while let missing = condition() {
            if world.time.isExhausted {
                fail("endless", "more than \(world.time.steps) steps, and still \(missing)")
                return false
            }
            guard world.time.now < deadline else {
                fail("not_\(name)", "\(seconds) s after the last fault: \(missing)")
                return false
            }
            world.time.pass(by: .milliseconds(SimulationBounds.lookMilliseconds))
        }
        return true
    }

    func fail(_ name: String, _ what: String) {
        world.note("FAILED", "\(name): \(what)")
        failures.append(SimulationFailure(name: name, what: what))
    }

    private func end() {
        world.isOver = true
        for device in devices { device.connection?.hangUp() }
        for node in nodes { node.crash() }
        redis.stop()
        // What is under way holds what it concerns.
        world.time.extend(by: SimulationBounds.lastSteps)
        world.time.pass(by: .seconds(1))
        world.time.forget()
    }

    private var outcome: SimulationOutcome {
        SimulationOutcome(
            seed: seed, failures: failures, shape: shape.text, virtualMilliseconds: world.now / 1_000_000,
            steps: world.time.steps, accepted: accepted, applied: applied,
            trace: world.trace.isOn ? world.trace.text : nil)
    }
}

@available(*, unavailable) extension Simulation: Sendable {}
