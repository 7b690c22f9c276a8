import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// A user's own profile, whole: `/v1/users/me`.
struct OwnProfileRoutes: Sendable {
    let accounts: any AccountStore
    let gate: RateGate

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.get, "/v1/users/me") { [self] _, _, principal throws(APIError) in
            try await show(principal)
        }
        routes.authenticated(.patch, "/v1/users/me") { [self] request, _, principal throws(APIError) in
            try await change(request, principal)
        }
    }

    private func show(_ principal: Principal) async throws(APIError) -> Response {
        let user = try await mapped { () throws(AccountError) in
            try await accounts.user(principal.user)
        }
        guard let user else { throw .unknownUser }
        return try JSONBody.response(WireProfile(own: user))
    }

    /// Only the fields that are there change; an empty phone or email removes it.
    private func change(_ request: Request, _ principal: Principal) async throws(APIError) -> Response {
        let body = try await JSONBody.decode(WireProfileChange.self, from: request)
        var change = ProfileChange()
        if body.hasDisplayName { change.displayName = try Text.displayName(body.displayName) }
        if body.hasAbout { change.about = try Text.about(body.about) }
        if body.hasPhone { change.phone = try Text.phone(body.phone) }
        if body.hasEmail { change.email = try Text.email(body.email) }
        guard change != ProfileChange() else { return try await show(principal) }
        if body.hasPhone || body.hasEmail { try await gate.contactChange(of: principal.user) }
        let user = try await mapped { () throws(AccountError) in
            try await accounts.updateProfile(of: principal.user, change)
        }
        return try JSONBody.response(WireProfile(own: user))
    }
}
