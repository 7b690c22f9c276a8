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

    let world: SimulatedWorld
    let disk: SimulatedDisk
    let redis: SimulatedRedis
    let shape: SimulationShape
    var lastIncarnation: UInt64 = 0
    /// What it does when it next comes to a point.
    private var armed: (point: SimulatedPoint, act: Act)?

    enum Act {
        /// It is killed, and started again after so many milliseconds.
        case die(down: Int64)
        /// It stands still for so many milliseconds.
        case standStill(Int64)
    }

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

    /// It is to do something when it next comes to a point.
    func arm(_ point: SimulatedPoint, _ act: Act) { armed = (point, act) }

    func disarm() { armed = nil }

    func passed(_ point: SimulatedPoint, _ life: Life) {
        guard let armed, armed.point == point, life.isAlive else { return }
        self.armed = nil
        world.note(name, "comes to \(point)")
        switch armed.act {
        case .die(let down): die(life, down: down)
        case .standStill(let milliseconds): stop(life, milliseconds: milliseconds)
        }
    }

    private func die(_ life: Life, down: Int64) {
        world.note(name, "dies")
        // Nothing leaves it from now on; it is taken apart when the code that passed the point is through.
        life.freeze()
        world.after(.nanoseconds(0)) { [self] in
            life.end()
            if self.life === life { self.life = nil }
        }
        world.after(.milliseconds(max(1, down))) { [self] in start() }
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
    func superseded() {
        world.note(name, "was superseded")
        stop { [self] in world.after(.seconds(1)) { [self] in start() } }
    }

    /// As SIGSTOP: it does nothing, and its sockets live.
    func standStill(milliseconds: Int64) {
        if let life { stop(life, milliseconds: milliseconds) }
    }

    private func stop(_ life: Life, milliseconds: Int64) {
        guard life.isAlive, !life.isStill else { return }
        world.note(name, "stands still for \(milliseconds) ms")
        life.standStill()
        world.after(.milliseconds(milliseconds)) { life.goOn() }
    }

    /// As SIGCONT.
    func goOn() { life?.goOn() }

    /// What a client's knock comes to: a connection, or nothing, or milliseconds to wait.
    enum Answer {
        case connected(SimulatedConnection)
        case busy(milliseconds: Int)
        case nobody
        /// Its kernel took the connection; it is to knock again when the node goes on.
        case silent(SimulatedNode.Life)
    }

    func accept(_ principal: Principal, for device: SimulatedDevice) -> Answer {
        guard let life, life.isAlive else { return .nobody }
        if life.isStill { return .silent(life) }
        accepted += 1
        return life.accept(principal, for: device)
    }
}

@available(*, unavailable) extension SimulatedNode: Sendable {}
