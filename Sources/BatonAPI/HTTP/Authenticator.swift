import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// Tells who asks: the bearer of an access token of ours, on a device that was not revoked since.
struct Authenticator: Sendable {
    let tokens: any TokenVerifier
    let accounts: any AccountStore
    let onRefused: @Sendable (RefusedCredential) -> Void

    func authenticate(_ request: Request) async throws(APIError) -> Principal {
        let principal: Principal
        do {
            principal = try await tokens.verify(accessToken: try bearerToken(of: request))
        } catch {
            onRefused(RefusedCredential(error))
            throw error.answer
        }
        let standing = try await mapped { () throws(AccountError) in
            try await accounts.standing(of: principal.device, of: principal.user)
        }
        let reason: RevocationReason
        switch standing {
        case .active: return principal
        case .revoked(let known): reason = known
        // A token of ours is only made for a device that there is; the store may have been restored since.
        case .unknown: reason = .loggedOut
        }
        onRefused(.deviceRevoked)
        throw APIError(WireError(reason))
    }

    private func bearerToken(of request: Request) throws(AuthenticationError) -> String {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { throw .missing }
        // Two of them: whoever reads the other one would see another user.
        guard fields.count == 1 else { throw .invalid }
        guard let token = BearerToken(field) else { throw .missing }
        return token.text
    }
}
