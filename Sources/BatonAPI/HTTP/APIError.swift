import BatonCore
package import BatonProtocol
package import HTTPTypes

/// Why a request was not carried out: an error of the catalogue, and what HTTP wants besides.
package struct APIError: Error, Hashable, Sendable {
    package let code: ErrorCode
    package let error: WireError
    package var headers: HTTPFields = [:]

    package init(_ code: ErrorCode, _ message: String, field: String = "", retryAfterMilliseconds: Int = 0) {
        self.init(
            code,
            WireError(code, message, field: field, retryAfterMilliseconds: UInt32(clamping: retryAfterMilliseconds)))
    }

    /// A field that is absent or not allowed.
    static func invalid(_ field: String, _ message: String) -> APIError {
        APIError(.invalidField, "\(field) \(message)", field: field)
    }

    static func missing(_ field: String) -> APIError {
        APIError(.missingField, "\(field) is required", field: field)
    }

    static let notFound = APIError(.notFound, "there is nothing here")
    static let unknownUser = APIError(.unknownUser, "there is no such user")
    static let unknownDevice = APIError(.notFound, "you have no such device")
    static let unknownConversation = APIError(WireError(Refusal.unknownConversation))
    static let stoodStill = APIError(
        .overloaded, "the node stood still until now, and your request may be old; try again",
        retryAfterMilliseconds: 1_000)
    /// Says nothing about what it was; the log does.
    static let internalError = APIError(.internalError, "the node failed; try again", retryAfterMilliseconds: 1_000)

    private init(_ code: ErrorCode, _ error: WireError) {
        self.code = code
        self.error = error
        switch code {
        case .unauthenticated, .deviceRevoked, .deviceReplaced:
            headers[.wwwAuthenticate] = "Bearer realm=\"baton\", error=\"invalid_token\""
        case .tokenExpired:
            headers[.wwwAuthenticate] =
                "Bearer realm=\"baton\", error=\"invalid_token\", error_description=\"expired\""
        case .wrongCredentials, .refreshTokenReused:
            headers[.wwwAuthenticate] = "Bearer realm=\"baton\""
        default: break
        }
        if error.retryAfterMs > 0 { headers[.retryAfter] = String((UInt64(error.retryAfterMs) + 999) / 1_000) }
    }

    /// The same as a frame is answered with.
    package init(_ error: WireError) {
        // Where the error is made, its code is one of the catalogue.
        self.init(ErrorCode(rawValue: error.code) ?? .internalError, error)
    }
}
