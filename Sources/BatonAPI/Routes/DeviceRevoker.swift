import BatonCore
import Logging

/// Revokes a device: in the store, which is what counts, and then on the bus, which closes its sockets at once.
struct DeviceRevoker: Sendable {
    let accounts: any AccountStore
    let revocations: any RevocationAnnouncer
    let clock: any CivilClock

    /// - Returns: false where the user has no such device, or not any more.
    func revoke(_ device: DeviceID, of user: UserID, logger: Logger) async throws(AccountError) -> Bool {
        guard try await accounts.revokeDevice(device, of: user, at: clock.now) else { return false }
        await announce(device, of: user, logger: logger)
        return true
    }

    /// For a device that the store has revoked.
    func announce(_ device: DeviceID, of user: UserID, logger: Logger) async {
        guard await revocations.announceRevoked(device, of: user) else {
            logger.warning(
                "revocation not announced; nodes will find it in the store",
                metadata: ["user": "\(user)", "device": "\(device)"])
            return
        }
    }
}
