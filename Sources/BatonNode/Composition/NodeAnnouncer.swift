import BatonCore
import BatonGateway
import BatonRedis

/// Tells this node at once what the store has decided, and the others over the bus.
struct NodeAnnouncer: RevocationAnnouncer, AcquaintanceAnnouncer {
    let parts: NodeParts

    func announceRevoked(_ device: DeviceID, of user: UserID) async -> Bool {
        parts.relay.revoke(device, of: user)
        return await parts.redis.announceRevoked(device, of: user)
    }

    func announceAcquaintance(of user: UserID, and other: UserID) async -> Bool {
        parts.relay.acquaintanceChanged(of: user, and: other)
        return await parts.redis.announceAcquaintance(of: user, and: other)
    }
}
