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

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.post, "/v1/users/me/password") { [self] request, context, principal throws(APIError) in
            try await change(request, context, principal)
        }
    }

    private func change(
        _ request: Request, _ context: APIRequestContext, _ principal: Principal
    ) async throws(APIError) -> Response {
        let body = try await JSONBody.decode(WirePasswordChange.self, from: request)
        let old = try Text.givenPassword(body.oldPassword, field: "old_password")
        var known = try await credentials(of: principal.user)
        let new = try Text.newPassword(body.newPassword, handle: known.user.handle, field: "new_password")
        try await gate.passwordChange(of: principal.user)

        for _ in 0..<Self.attempts {
            let hash = try await hash(new, replacing: known.passwordHash, given: old)
            if let revoked = try await exchange(known.passwordHash, for: hash, principal) {
                for device in revoked { await revoker.announce(device, of: principal.user, logger: context.logger) }
                return Response(status: .noContent)
            }
            known = try await credentials(of: principal.user)
        }
        throw wrongPassword()
    }

    /// Meanwhile a login may have renewed the hash, which it does once: the password is still right then. Or somebody has
    /// changed the password, and then it is wrong.
    private static let attempts = 2

    /// - Returns: the devices that are revoked; nil where the hash has changed meanwhile.
    private func exchange(
        _ old: String, for new: String, _ principal: Principal
    ) async throws(APIError) -> [DeviceID]? {
        try await mapped { () throws(AccountError) in
            try await dependencies.accounts.changePassword(
                PasswordChange(user: principal.user, device: principal.device, oldHash: old, newHash: new))
        }
    }

    private func hash(
        _ new: String, replacing known: String, given old: String?
    ) async throws(APIError) -> String {
        guard let old else { throw wrongPassword() }
        let verdict = try await mapped { () throws(PasswordError) in
            try await dependencies.passwords.verify(old, against: known)
        }
        guard verdict != .wrong else { throw wrongPassword() }
        return try await mapped { () throws(PasswordError) in
            try await dependencies.passwords.hash(new)
        }
    }

    private func wrongPassword() -> APIError {
        dependencies.onRefused(.passwordWrong)
        return APIError(.wrongCredentials, "the old password is wrong", field: "old_password")
    }

    private func credentials(of id: UserID) async throws(APIError) -> Credentials {
        let known = try await mapped { () throws(AccountError) in
            guard let user = try await dependencies.accounts.user(id) else { throw .notFound }
            return try await dependencies.accounts.credentials(handle: user.handle)
        }
        guard let known else { throw .unknownUser }
        return known
    }
}
