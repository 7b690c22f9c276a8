import BatonAPI
import BatonCore
import BatonProtocol
import Hummingbird
import Logging

/// Refuses requests to `/admin` that do not have the token. People send it; nodes and commands prove that they have it (`AdminProof`).
///
/// Wrong tokens are counted for each address, and beyond a bound answered without a look. The right one is never turned
/// away: it cannot be guessed, and who guesses must not lock the operator out of the same address.
struct AdminGate: Sendable {
    let token: AdminToken
    let challenges: AdminChallenges
    let addresses: AdminAddresses
    let limiter: any RateLimiter
    /// Told the reason, one of a few constants.
    let onRefused: @Sendable (String) -> Void

    /// Wrong tokens of one address: so many at once, then one in so many seconds.
    static let attempts = RateLimits.Rate(capacity: 10, secondsPerToken: 30)

    func pass(_ request: Request, _ context: APIRequestContext) async throws(APIError) {
        let presented = presentedCredential(of: request)
        switch presented {
        case .token(let text) where token.matches(text): return
        case .proof(let challenge, let code):
            guard challenges.isGood(challenge) else {
                // Not counted as an attempt: it says nothing of the token.
                throw APIError(.unauthenticated, "the challenge has run out; ask for another at \(AdminProof.path)")
            }
            if isProof(code, challenge, request) { return }
        case .token, .nothing: break
        }
        onRefused(presented == .nothing ? "admin_missing" : "admin_invalid")
        guard presented != .nothing else {
            throw APIError(.unauthenticated, "send the admin token: \"Authorization: Bearer <token>\"")
        }
        let bucket = RateLimitBucket(
            who: ClientNetwork.name(of: context.remoteAddress), what: "admin", capacity: Self.attempts.capacity,
            secondsPerToken: Self.attempts.secondsPerToken)
        switch await limiter.take(1, from: bucket) {
        case .allowed:
            context.logger.notice(
                "a wrong admin token", metadata: ["address": "\(context.remoteAddress ?? "local")"])
            throw APIError(
                .unauthenticated,
                presented.isProof
                    ? "this is no proof of the token of admin.tokenFile for an address of this node"
                    : "this is not the token of admin.tokenFile")
        case .refused(let milliseconds):
            throw APIError(
                .rateLimited, "too many wrong tokens; try again later", retryAfterMilliseconds: max(1, milliseconds))
        }
    }

    private enum Credential: Equatable {
        case nothing
        case token(String)
        case proof(challenge: String, code: String)

        var isProof: Bool { if case .proof = self { true } else { false } }
    }

    private func presentedCredential(of request: Request) -> Credential {
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else { return .nothing }
        // Two of them are one too many to know which is meant, and count as a wrong one.
        guard fields.count == 1 else { return .token("") }
        if let token = BearerToken(field) { return .token(token.text) }
        // By bytes, as there.
        let words = field.utf8.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.count > 1, words[0].utf8.elementsEqual(AdminProof.scheme.utf8) else { return .nothing }
        return words.count == 3 ? .proof(challenge: words[1], code: words[2]) : .token("")
    }

    private func isProof(_ code: String, _ challenge: String, _ request: Request) -> Bool {
        guard let address = request.head.authority, addresses.contains(address) else { return false }
        return token.isProof(
            code,
            of: AdminProof.Request(
                method: request.method.rawValue, path: request.head.path ?? "", address: address,
                challenge: challenge))
    }
}
