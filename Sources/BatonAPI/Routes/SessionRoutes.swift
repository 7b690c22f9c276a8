import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird
import Logging

/// Logging in, staying logged in, logging out: `/v1/sessions`. Each login is a device.
struct SessionRoutes: Sendable {
    let dependencies: APIDependencies
    let gate: RateGate
    let check: PasswordCheck
    let revoker: DeviceRevoker

    func add(to routes: inout APIRoutes) {
        routes.open(.post, "/v1/sessions") { [self] request, context throws(APIError) in
            try await login(request, context)
        }
        routes.open(.post, "/v1/sessions/refresh") { [self] request, context throws(APIError) in
            try await refresh(request, context)
        }
        routes.authenticated(.delete, "/v1/sessions/current") { [self] _, context, principal throws(APIError) in
            try await logout(principal, context)
        }
    }

    private func login(_ request: Request, _ context: APIRequestContext) async throws(APIError) -> Response {
        var attempt = try await check.begin(from: context.remoteAddress)
        let login = try await JSONBody.decode(WireLogin.self, from: request)
        let handle = try Text.handle(login.handle)
        let password = try Text.givenPassword(login.password, field: "password")
        let name = try Text.deviceName(login.deviceName)
        let platform = try Text.platform(login.platform)

        for _ in 0..<Self.attempts {
            let (user, hash) = try await check.verify(password, of: handle, attempt, logger: context.logger)
            var generator = SystemRandomNumberGenerator()
            let now = dependencies.clock.now
            let refreshToken = RefreshToken.random()
            let new = NewDevice(
                id: .random(using: &generator), user: user, name: name, platform: platform, createdAt: now,
                passwordHash: hash, network: network(attempt.network, at: now))
            let end = RefreshToken.end(from: now, days: dependencies.refreshTokenDays)
            let replaced: [DeviceID]
            do throws(AccountError) {
                replaced = try await create(new, NewRefreshToken(hash: refreshToken.hash, expiresAt: end))
            } catch .passwordChanged {
                attempt = try await check.begin(from: context.remoteAddress)
                continue
            } catch {
                throw error.answer
            }
            for device in replaced { await revoker.announce(device, of: user, logger: context.logger) }
            return try await tokens(refreshToken, user: user, device: new.id, status: .created)
        }
        throw check.wrongCredentials()
    }

    /// Meanwhile another login may have renewed the hash, which happens once. Or the password was changed, which logs out
    /// all devices that had the old one, and so must not let another in.
    private static let attempts = 2

    private func network(_ name: String, at now: Timestamp) -> NetworkMark? {
        dependencies.keys.marks(of: name, at: now).first
    }

    /// - Returns: the devices that gave way.
    private func create(_ device: NewDevice, _ token: NewRefreshToken) async throws(AccountError) -> [DeviceID] {
        do throws(AccountError) {
            return try await dependencies.accounts.createDevice(device, refreshToken: token, connected: nil).replaced
        } catch .tooManyDevices(let limit) {
            // Only now it matters who is connected. Where that cannot be learned, nobody is logged out on a guess.
            guard let connected = await dependencies.sessions.connectedDevices(of: device.user) else {
                throw .tooManyDevices(limit: limit)
            }
            return try await dependencies.accounts.createDevice(device, refreshToken: token, connected: connected)
                .replaced
        }
    }

    private func refresh(_ request: Request, _ context: APIRequestContext) async throws(APIError) -> Response {
        try await gate.refresh(from: context.remoteAddress)
        let body = try await JSONBody.decode(WireRefreshRequest.self, from: request)
        guard !body.refreshToken.isEmpty else { throw .missing("refresh_token") }
        guard let token = RefreshToken(body.refreshToken) else { throw invalidRefresh() }
        try await gate.refresh(with: token)

        // The time is when the request came, however long the store takes to get to it.
        let now = dependencies.clock.now
        let successors = dependencies.keys.successors(of: token, at: now)
        let rotation = try await mapped { () throws(AccountError) in
            try await dependencies.accounts.rotateRefreshToken(
                RefreshExchange(
                    hash: token.hash, successors: successors.map(\.hash),
                    expiresAt: RefreshToken.end(from: now, days: dependencies.refreshTokenDays),
                    network: network(ClientNetwork.name(of: context.remoteAddress), at: now), at: now))
        }
        switch rotation {
        case .rotated(let user, let device, let hash):
            guard let successor = successors.first(where: { $0.hash == hash }) else { throw .internalError }
            return try await tokens(successor, user: user, device: device, status: .ok)
        case .reused(let user, let device):
            context.logger.warning(
                "refresh token reused; device revoked", metadata: ["user": "\(user)", "device": "\(device)"])
            dependencies.onRefused(.refreshReused)
            await revoker.announce(device, of: user, logger: context.logger)
            throw APIError(
                .refreshTokenReused,
                "this refresh token's successor was used before; its device is revoked, log in again")
        case .revoked(let reason):
            dependencies.onRefused(.deviceRevoked)
            throw APIError(WireError(reason))
        case .unknown: throw invalidRefresh()
        case .expired:
            dependencies.onRefused(.refreshExpired)
            throw APIError(.tokenExpired, "this refresh token has expired; log in again")
        }
    }

    private func invalidRefresh() -> APIError {
        dependencies.onRefused(.refreshInvalid)
        return APIError(.unauthenticated, "this refresh token is not valid; log in again")
    }

    private func logout(
        _ principal: Principal, _ context: APIRequestContext
    ) async throws(APIError) -> Response {
        _ = try await mapped { () throws(AccountError) in
            try await revoker.revoke(principal.device, of: principal.user, logger: context.logger)
        }
        return Response(status: .noContent)
    }

    private func tokens(
        _ refresh: RefreshToken, user: UserID, device: DeviceID, status: HTTPResponse.Status
    ) async throws(APIError) -> Response {
        let access: AccessToken
        do {
            access = try await dependencies.tokens.issue(to: user, on: device)
        } catch {
            throw .internalError
        }
        return try JSONBody.response(WireTokens(access, refresh, user: user, device: device), status: status)
    }
}
