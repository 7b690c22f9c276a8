import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// `POST /v1/users`: somebody becomes a user. To log in is another request.
struct RegistrationRoutes: Sendable {
    let dependencies: APIDependencies
    let gate: RateGate

    func add(to routes: inout APIRoutes) {
        routes.open(.post, "/v1/users") { [self] request, context throws(APIError) in
            try await register(request, context)
        }
    }

    private func register(_ request: Request, _ context: APIRequestContext) async throws(APIError) -> Response {
        // Before the body is looked at, which costs more than the answer that there were too many.
        try await gate.registration(from: context.remoteAddress)
        let account = try await JSONBody.decode(WireNewAccount.self, from: request)
        let handle = try Text.newHandle(account.handle)
        let displayName = try Text.displayName(account.displayName)
        let password = try Text.newPassword(account.password, handle: handle, field: "password")
        let phone = try Text.phone(account.phone)
        let email = try Text.email(account.email)

        let hash = try await mapped { () throws(PasswordError) in
            try await dependencies.passwords.hash(password)
        }
        var generator = SystemRandomNumberGenerator()
        let new = NewUser(
            id: .random(using: &generator), handle: handle, displayName: displayName, passwordHash: hash,
            phone: phone.isEmpty ? nil : phone, email: email.isEmpty ? nil : email, createdAt: dependencies.clock.now)
        let user = try await mapped { () throws(AccountError) in
            try await dependencies.accounts.createUser(new)
        }
        return try JSONBody.response(
            WireProfile(own: user), status: .created, headers: [.location: "/v1/users/\(user.id)"])
    }
}
