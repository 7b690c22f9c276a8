import BatonCore
import BatonProtocol
import CoreMetrics
import NIOCore

/// What the bus or the registry says of a device, and the store has to bear out before a connection ends for it: who can
/// write to Redis can claim anything.
///
/// One question of a device is under way at a time. So many claims that come meanwhile wait for the next one.
struct DeviceClaims {
    enum Claim: Hashable {
        /// The device was revoked.
        case revoked
        /// There is a connection of the device with this number, or a later one.
        case newer(ConnectionGeneration)
    }

    /// By device, those that wait; there while a question is under way.
    private var waiting: [DeviceID: Set<Claim>] = [:]

    /// - Returns: whether to ask now; otherwise a question is under way.
    mutating func begin(_ claim: Claim, of device: DeviceID) -> Bool {
        guard let others = waiting[device] else {
            waiting[device] = []
            return true
        }
        // One that is left out is made again: a revocation by the sweep, a newer connection by its next renewal.
        if others.count < Limits.Node.claimsOfDevice { waiting[device]?.insert(claim) }
        return false
    }

    /// - Returns: what to ask about next.
    mutating func ended(_ device: DeviceID) -> Set<Claim> { waiting.removeValue(forKey: device) ?? [] }
}

extension RelayLoop {
    /// Looks a claim up, where it concerns a connection here.
    func look(at claim: DeviceClaims.Claim, of device: DeviceID, of user: UserID) {
        let concerns = users[user]?.handlers.contains { handler in
            guard handler.principal.device == device else { return false }
            switch claim {
            case .revoked: return true
            case .newer(let generation): return handler.isNumbered(below: generation)
            }
        }
        guard concerns == true, claims.begin(claim, of: device) else { return }
        ask([claim], of: device, of: user)
    }

    private func ask(_ asked: Set<DeviceClaims.Claim>, of device: DeviceID, of user: UserID) {
        let (bound, eventLoop) = (sendable, eventLoop)
        store.newestConnections(of: [device]) { result in
            eventLoop.execute { bound.value.answered(result, asked, of: device, of: user) }
        }
    }

    private func answered(
        _ result: Result<[DeviceID: ConnectionGeneration], StoreError>, _ asked: Set<DeviceClaims.Claim>,
        of device: DeviceID, of user: UserID
    ) {
        if case .success(let found) = result {
            for claim in asked { carryOut(claim, of: device, of: user, newest: found[device]) }
        }
        for next in claims.ended(device) { look(at: next, of: device, of: user) }
    }

    private func carryOut(
        _ claim: DeviceClaims.Claim, of device: DeviceID, of user: UserID, newest: ConnectionGeneration?
    ) {
        switch (claim, newest) {
        case (_, nil): closeRevoked(device, of: user)
        case (.newer(let generation), let newest?) where generation <= newest:
            #if DEBUG
                if node.settings.plantedBug == .keepDisplaced { return }
            #endif
            closeDisplaced(device, of: user, by: generation)
        case (.revoked, _), (.newer, _): metrics.contradicted.increment()
        }
    }

    /// Ends the connections of a device that the store knows to be revoked.
    func closeRevoked(_ device: DeviceID, of user: UserID) {
        for handler in users[user]?.handlers ?? [] where handler.principal.device == device {
            // Why is told by the store, when the device comes back.
            handler.close(.revoked, "this device was revoked; log in again")
        }
    }
}
