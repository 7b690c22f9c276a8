import BatonAPI
import BatonClient
import BatonCore

/// A user of a node's own, with one device, and the tokens for it.
///
/// Made at the node's first start and found again at each later one. No password opens it: what stands in the hash's
/// place is none, and its handle is refused at the login anyway.
struct CanaryAccount: Sendable {
    let user: UserID
    let device: DeviceID

    static let platform = "canary"
    private static let passwordHash = "none"

    static func findOrMake(
        _ handle: String, in accounts: any AccountStore, at now: Timestamp
    ) async throws(AccountError) -> CanaryAccount {
        let user = try await findOrMakeUser(handle, in: accounts, at: now)
        if let device = try await accounts.devices(of: user).first(where: { $0.platform == platform }) {
            return CanaryAccount(user: user, device: device.id)
        }
        var generator = SystemRandomNumberGenerator()
        // Nobody ever has this refresh token, nor would it be valid: access tokens are signed here.
        let token = NewRefreshToken(
            hash: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }, expiresAt: now)
        let device = try await accounts.createDevice(
            NewDevice(
                id: .random(using: &generator), user: user, name: handle, platform: platform, createdAt: now),
            refreshToken: token)
        return CanaryAccount(user: user, device: device.id)
    }

    private static func findOrMakeUser(
        _ handle: String, in accounts: any AccountStore, at now: Timestamp
    ) async throws(AccountError) -> UserID {
        if let user = try await accounts.user(handle: handle) { return user.id }
        var generator = SystemRandomNumberGenerator()
        do {
            return try await accounts.createUser(
                NewUser(
                    id: .random(using: &generator), handle: handle, displayName: handle, passwordHash: passwordHash,
                    phone: nil, email: nil, createdAt: now)
            ).id
        } catch {
            // Another start of this node was faster.
            guard error == .handleTaken, let user = try await accounts.user(handle: handle) else { throw error }
            return user.id
        }
    }

    func token(of authority: TokenAuthority) async throws -> IssuedToken {
        let token = try await authority.issue(to: user, on: device)
        return IssuedToken(
            user: user, device: device, accessToken: token.text, lifetime: .seconds(Int64(token.lifetimeSeconds)))
    }
}
