package import BatonCore
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
    static let unknownConversation = APIError(
        .unknownConversation, WireError(Refusal.unknownConversation))
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

    package init(_ failure: StoreError) {
        let code: ErrorCode =
            switch failure {
            case .overloaded: .overloaded
            case .diskFull: .storageFull
            case .unavailable, .closed: .storeUnavailable
            }
        self.init(code, WireError(failure))
    }

    /// Why a message was not accepted.
    package init(_ failure: FrameError) {
        self.init(ErrorCode(rawValue: failure.error.code) ?? .internalError, failure.error)
    }

    package init(_ failure: AccountError) {
        switch failure {
        case .handleTaken: self.init(.handleTaken, "this handle belongs to another user", field: "handle")
        case .notFound: self = .unknownUser
        case .sameUser: self.init(.sameUser, "you cannot block yourself", field: "user")
        case .tooManyDevices(let limit):
            self.init(
                .tooManyDevices,
                "a user has at most \(limit) devices, and none of these can give way now: they are connected, or it is not "
                    + "known which are; remove one (POST /v1/devices)")
        case .passwordChanged: self.init(.wrongCredentials, "the password was changed")
        case .store(let failure): self.init(failure)
        }
    }

    /// For a device that was revoked.
    package init(_ reason: RevocationReason) {
        let error = WireError(reason)
        self.init(ErrorCode(rawValue: error.code) ?? .deviceRevoked, error)
    }

    package init(_ failure: PasswordError) {
        switch failure {
        case .overloaded:
            self.init(.overloaded, "too many people log in at this moment; try again", retryAfterMilliseconds: 1_000)
        case .failed: self = .internalError
        }
    }

    package init(_ failure: AuthenticationError) {
        switch failure {
        case .missing:
            self.init(.unauthenticated, "send an access token: \"Authorization: Bearer <token>\"")
            // RFC 6750: no error attribute where no token came at all.
            headers[.wwwAuthenticate] = "Bearer realm=\"baton\""
        case .invalid: self.init(.unauthenticated, "this access token is not valid here")
        case .expired: self.init(.tokenExpired, "this access token has expired; refresh it")
        }
    }
}
