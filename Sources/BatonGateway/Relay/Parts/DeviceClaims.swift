import BatonCore

/// What the bus or the registry says of devices, while the store is asked whether it is true. A connection ends only when the
/// store agrees: a program that can write to Redis can claim anything.
///
/// One question about a device is under way at a time. Claims that come meanwhile wait for the next question, up to
/// `Limits.Node.claimsOfDevice` of a device.
///
/// It knows no connections and asks nobody: `RelayLoop` decides which claims concern a connection here, asks the store, and
/// acts. Used on the event loop of the `RelayLoop` that owns it.
struct DeviceClaims {
    enum Claim: Hashable {
        /// The device was revoked.
        case revoked
        /// There is a connection of the device with this number, or a later one.
        case newer(ConnectionGeneration)
    }

    /// The claims that wait, by device. A device has an entry while a question about it is under way.
    private var waiting: [DeviceID: Set<Claim>] = [:]

    /// - Returns: whether to ask now; otherwise a question is under way.
    mutating func begin(_ claim: Claim, of device: DeviceID) -> Bool {
        guard let others = waiting[device] else {
            waiting[device] = []
            return true
        }
        // A claim that is left out is made again: a revocation by the sweep, a newer connection by its next renewal.
        if others.count < Limits.Node.claimsOfDevice { waiting[device]?.insert(claim) }
        return false
    }

    /// The store has answered.
    ///
    /// - Returns: what to ask about next.
    mutating func ended(_ device: DeviceID) -> Set<Claim> { waiting.removeValue(forKey: device) ?? [] }
}
