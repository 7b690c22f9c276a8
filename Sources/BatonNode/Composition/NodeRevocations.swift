import BatonCore
import BatonGateway
import BatonRedis

/// Closes a revoked device's connections here at once, and tells the other nodes.
struct NodeRevocations: RevocationAnnouncer {
    let parts: NodeParts

    func announceRevoked(_ device: DeviceID, of user: UserID) async -> Bool {
        parts.relay.revoke(device, of: user)
        return await parts.redis.announceRevoked(device, of: user)
    }
}
