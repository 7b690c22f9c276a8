import BatonAPI
import BatonCore
import BatonProtocol
import Hummingbird
import Logging

/// Lets nobody to `/admin` but who has the token.
///
/// Wrong tokens are counted for each address, and beyond a bound answered without a look. The right one is never turned
/// away: it cannot be guessed, and who guesses must not lock the operator out of the same address.
struct AdminGate: Sendable {
    let token: AdminToken
    let limiter: any RateLimiter
    /// Told the reason, one of a few constants.
    let onRefused: @Sendable (String) -> Void

    /// Wrong tokens of one address: so many at once, then one in so many seconds.
    static let attempts = RateLimits.Rate(capacity: 10, secondsPerToken: 30)

    func pass(_ request: Request, _ context: APIRequestContext) async throws(APIError) {
        let presented = presentedToken(of: request)
        if let presented, token.matches(presented) { return }
        onRefused(presented == nil ? "admin_missing" : "admin_invalid")
        guard presented != nil else {
            throw APIError(.unauthenticated, "send the admin token: \"Authorization: Bearer <token>\"")
        }
        let bucket = RateLimitBucket(
            who: ClientNetwork.name(of: context.remoteAddress), what: "admin", capacity: Self.attempts.capacity,
            secondsPerToken: Self.attempts.secondsPerToken)
        switch await limiter.take(1, from: bucket) {
        case .allowed:
            context.logger.notice(
                "a wrong admin token", metadata: ["address": "\(context.remoteAddress ?? "local")"])
            throw APIError(.unauthenticated, "this is not the token of admin.tokenFile")
        case .refused(let milliseconds):
            throw APIError(
                .rateLimited, "too many wrong tokens; try again later", retryAfterMilliseconds: max(1, milliseconds))
        }
    }

    /// The token of the one `Authorization` header; nil where there is none.
    private func presentedToken(of request: Request) -> String? {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { return nil }
        // Two of them are one too many to know which is meant, and count as a wrong one.
        guard fields.count == 1 else { return "" }
        return BearerToken(field)?.text
    }
}
