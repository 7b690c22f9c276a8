import BatonCore
import Synchronization

/// As which devices the clients of this process are to be connected. Where there are several of one device, who is
/// displaced knows by whom.
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
