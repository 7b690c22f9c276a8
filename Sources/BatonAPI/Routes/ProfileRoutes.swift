import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// Other users' public profiles: `/v1/users/{id}` and `/v1/users/@{handle}`.
struct ProfileRoutes: Sendable {
    let dependencies: APIDependencies
    let gate: RateGate

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.get, "/v1/users/{user}") { [self] _, context, principal throws(APIError) in
            try await show(context, principal)
        }
    }

    private func show(
        _ context: APIRequestContext, _ principal: Principal
    ) async throws(APIError) -> Response {
        try await gate.lookup(by: principal.user)
        guard let user = try await find(context.path("user")) else { throw .unknownUser }
        guard user.id != principal.user else { return try JSONBody.response(WireProfile(own: user)) }
        var profile = WireProfile(public: user)
        if let presence = try await presence(of: user, for: principal.user) { profile.presence = presence }
        return try JSONBody.response(profile)
    }

    private func find(_ name: String) async throws(APIError) -> User? {
        try await mapped { () throws(AccountError) in
            if name.utf8.first == UInt8(ascii: "@") {
                guard let handle = try? Text.handle(String(decoding: name.utf8.dropFirst(), as: UTF8.self)) else {
                    return nil
                }
                return try await dependencies.accounts.user(handle: handle)
            }
            guard let id = UserID(name), let user = try await dependencies.accounts.user(id) else { return nil }
            // The nodes' own users are nobody to talk to.
            return CanaryHandle.isReserved(user.handle) ? nil : user
        }
    }

    /// Whether somebody is online is for their acquaintances.
    private func presence(of user: User, for asking: UserID) async throws(APIError) -> WirePresenceUpdate? {
        let acquaintances = try await mapped { () throws(StoreError) in
            try await dependencies.conversations.acquaintances(of: asking, among: [user.id])
        }
        guard acquaintances.contains(user.id) else { return nil }
        // Without the registry a profile is still a profile.
        guard let presence = await dependencies.presence.presence(of: [user.id])?[user.id] else { return nil }
        return WirePresenceUpdate(presence, of: user)
    }
}
