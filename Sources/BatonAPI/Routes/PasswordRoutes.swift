import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird
import Logging

/// `POST /v1/users/me/password`: a new password, for which the old one is needed. All other devices are logged out,
/// since whoever knew the old password may be on one of them.
struct PasswordRoutes: Sendable {
    let dependencies: APIDependencies
    let gate: RateGate
    let revoker: DeviceRevoker

    func add(to table: inout RouteTable) {
        table.authenticated(.post, "/v1/users/me/password") { [self] request, context, principal throws(APIError) in
            try await change(request, context, principal)
        }
    }

    private func change(
        _ request: Request, _ context: APIRequestContext, _ principal: Principal
    ) async throws(APIError) -> Response {
        let body = try await JSONBody.decode(WirePasswordChange.self, from: request)
        let old = try Text.givenPassword(body.oldPassword, field: "old_password")
        let known = try await credentials(of: principal.user)
        let new = try Text.newPassword(body.newPassword, handle: known.user.handle, field: "new_password")
        try await gate.passwordChange(of: principal.user)

        let hash = try await hash(new, replacing: known.passwordHash, given: old)
        do {
            try await dependencies.accounts.setPasswordHash(hash, of: principal.user)
        } catch {
            throw APIError(error)
        }
        try await revokeOtherDevices(than: principal, logger: context.logger)
        return Response(status: .noContent)
    }

    private func hash(
        _ new: String, replacing known: String, given old: String?
    ) async throws(APIError) -> String {
        guard let old else { throw wrongPassword() }
        let verdict: PasswordHasher.Verdict
        do {
            verdict = try await dependencies.passwords.verify(old, against: known)
        } catch {
            throw APIError(error)
        }
        guard verdict != .wrong else { throw wrongPassword() }
        do {
            return try await dependencies.passwords.hash(new)
        } catch {
            throw APIError(error)
        }
    }

    private func wrongPassword() -> APIError {
        dependencies.onRefused(.passwordWrong)
        return APIError(.wrongCredentials, "the old password is wrong", field: "old_password")
    }

    private func credentials(of id: UserID) async throws(APIError) -> (user: User, passwordHash: String) {
        let known: (user: User, passwordHash: String)?
        do throws(AccountError) {
            guard let user = try await dependencies.accounts.user(id) else { throw .notFound }
            known = try await dependencies.accounts.credentials(handle: user.handle)
        } catch {
            throw APIError(error)
        }
        guard let known else { throw .unknownUser }
        return known
    }

    /// The password is changed by now: where this fails half-way, the client is told to do the rest itself.
    private func revokeOtherDevices(than principal: Principal, logger: Logger) async throws(APIError) {
        do {
            for device in try await dependencies.accounts.devices(of: principal.user)
            where device.id != principal.device {
                _ = try await revoker.revoke(device.id, of: principal.user, logger: logger)
            }
        } catch {
            logger.warning("other devices not revoked", metadata: ["user": "\(principal.user)", "error": "\(error)"])
            throw APIError(
                .storeUnavailable,
                "the password is changed, but other devices may still be logged in; revoke them one by one")
        }
    }
}
