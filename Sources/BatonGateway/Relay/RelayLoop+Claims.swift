import BatonCore
import BatonProtocol
import CoreMetrics
import NIOCore

/// Ends connections of devices that were revoked, or that connected anew elsewhere, once the store agrees: see `DeviceClaims`.
extension RelayLoop {
    /// Asks the store about a claim, where it concerns a connection here.
    func look(at claim: DeviceClaims.Claim, of device: DeviceID, of user: UserID) {
        let concerns = connections.of(user).contains { handler in
            guard handler.principal.device == device else { return false }
            switch claim {
            case .revoked: return true
            case .newer(let generation): return handler.isNumbered(below: generation)
            }
        }
        guard concerns, claims.begin(claim, of: device) else { return }
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
        for handler in connections.of(user) where handler.principal.device == device {
            // The store tells why, when the device comes back.
            handler.close(.revoked, "this device was revoked; log in again")
        }
    }
}
