import BatonCore
import BatonHistory
import BatonTestKit
import NIOCore

/// What each fault does, and when it ends.
extension Simulation {
    func inject(_ fault: SimulatedFault) {
        world.note("FAULT", "\(fault)")
        switch fault {
        case .nodeKilled(let index, let down):
            nodes[index].crash()
            world.after(.milliseconds(down)) { [unowned self] in nodes[index].start() }
        case .nodeStill(let index, let time): nodes[index].standStill(milliseconds: time)
        case .deviceRevoked(let index): revoke(devices[index])
        case .userBlocked(let index, let other): block(devices[other].user, by: devices[index])
        case .nodeDies(let index, let point, let down): nodes[index].arm(point, .die(down: down))
        case .nodeStops(let index, let point, let time): nodes[index].arm(point, .standStill(time))
        case .allKilled(let down):
            for node in nodes { node.crash() }
            for node in nodes {
                world.after(.milliseconds(down) + world.microseconds(0...200_000)) { node.start() }
            }
        case .nodeEvacuated(let index, let down):
            nodes[index].stop { [unowned self] in
                world.after(.milliseconds(down)) { [unowned self] in nodes[index].start() }
            }
        case .networkCut(let device): devices[device].connection?.cut()
        case .clientVanished(let device, let unnoticed):
            devices[device].dropConnection(unnoticedMilliseconds: unnoticed)
        case .appRestarted(let device): devices[device].restart()
        case .readerStuck(let device, let time):
            guard let connection = devices[device].connection else { return }
            connection.setStuck(true)
            world.after(.milliseconds(time)) { connection.setStuck(false) }
        case .clockWrong(let node, let milliseconds): nodes[node].clock.set(offMilliseconds: milliseconds)
        case .redisRestarted, .redisEmptied, .redisStalled, .redisRefuses, .busLoses, .busDoubles,
            .subscriptionsForgotten, .subscribersCut:
            injectIntoRedis(fault)
        case .diskFails, .diskFull, .diskSlow, .readsFail: injectIntoDisk(fault)
        }
    }

    /// A node that takes requests.
    private func anyNode() -> SimulatedNode.Life? {
        nodes.compactMap(\.life).filter { $0.isAlive && !$0.isStill && !$0.isEvacuating }
            .randomElement(using: &world.random)
    }

    /// A user asks any node to block another one.
    private func block(_ other: UserID, by device: SimulatedDevice) {
        guard device.user != other, let life = anyNode(), disk.acquaintances.block(other, by: device.user) else {
            return
        }
        device.history.add(.blocked(user: other.description))
        life.announceAcquaintance(of: device.user, and: other)
    }

    /// Somebody asks any node to revoke a device. One is left, so that there is something to look at.
    private func revoke(_ device: SimulatedDevice) {
        guard devices.count(where: { !$0.isRevoked }) > 1, !device.isRevoked, let life = anyNode() else { return }
        device.isRevoked = true
        disk.messages.revoke(device.device, of: device.user)
        life.announceRevoked(device.device, of: device.user)
    }

    private func injectIntoRedis(_ fault: SimulatedFault) {
        switch fault {
        case .redisRestarted(let isEmptied, let down):
            redis.stop()
            world.after(.milliseconds(down)) { [unowned self] in redis.start(isEmptied: isEmptied) }
        case .redisEmptied: redis.empty()
        case .redisStalled(let time): redis.stall(for: .milliseconds(time))
        case .redisRefuses(let time):
            redis.refusal = "OOM command not allowed when used memory > 'maxmemory'."
            world.after(.milliseconds(time)) { [unowned self] in redis.refusal = nil }
        case .busLoses(let percent, let time):
            redis.losing = Double(percent) / 100
            world.after(.milliseconds(time)) { [unowned self] in redis.losing = 0 }
        case .busDoubles(let time):
            redis.doubling = 0.5
            world.after(.milliseconds(time)) { [unowned self] in redis.doubling = 0 }
        case .subscriptionsForgotten: redis.deafen()
        case .subscribersCut: redis.cutSubscribers()
        default: break
        }
    }

    private func injectIntoDisk(_ fault: SimulatedFault) {
        switch fault {
        case .diskFails(let isLate, let time):
            disk.weather = isLate ? .failingLate : .failing
            world.after(.milliseconds(time)) { [unowned self] in disk.weather = .fine }
        case .diskFull(let time):
            disk.weather = .full
            world.after(.milliseconds(time)) { [unowned self] in disk.weather = .fine }
        case .diskSlow(let time):
            disk.latency = 100_000...400_000
            world.after(.milliseconds(time)) { [unowned self] in disk.latency = shape.disk }
        case .readsFail(let time):
            disk.readFailures = 0.5
            world.after(.milliseconds(time)) { [unowned self] in disk.readFailures = 0 }
        default: break
        }
    }

    /// No more faults: everything works, from now on.
    func mend() {
        world.note("MENDED", "no more faults")
        if !redis.isUp { redis.start(isEmptied: false) }
        redis.losing = 0
        redis.doubling = 0
        redis.refusal = nil
        disk.weather = .fine
        disk.latency = shape.disk
        disk.readFailures = 0
        for node in nodes {
            node.clock.set(offMilliseconds: 0)
            node.disarm()
            node.goOn()
            node.start()
        }
        for device in devices { device.connection?.setStuck(false) }
    }
}
