import BatonCore
import Synchronization

/// Counts, for each device, the clients of this process that want to be connected as it. A displaced client learns from
/// it whether another client of the same process took its place.
enum ClaimedDevices {
    private static let clients = Mutex<[DeviceID: Int]>([:])

    static func add(_ device: DeviceID) { clients.withLock { $0[device, default: 0] += 1 } }

    static func remove(_ device: DeviceID) {
        clients.withLock { clients in
            let left = clients[device, default: 0] - 1
            clients[device] = left > 0 ? left : nil
        }
    }

    static func areSeveral(of device: DeviceID) -> Bool { clients.withLock { $0[device, default: 0] > 1 } }
}
