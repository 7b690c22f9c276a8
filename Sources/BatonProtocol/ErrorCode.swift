public import BatonCore

/// The catalogue of errors, for frames and REST alike. The DocC article `Protocol` explains each.
public enum ErrorCode: String, CaseIterable, Sendable {
    // What the client sent is wrong; the same again is wrong again.
    case malformedFrame = "malformed_frame"
    case unknownFrame = "unknown_frame"
    case wrongEncoding = "wrong_encoding"
    case helloExpected = "hello_expected"
    case alreadyGreeted = "already_greeted"
    case invalidField = "invalid_field"
    case missingField = "missing_field"
    case tooLarge = "too_large"
    case beyondLast = "beyond_last"

    // The rules say no.
    case unauthenticated = "unauthenticated"
    case tokenExpired = "token_expired"
    case wrongCredentials = "wrong_credentials"
    case refreshTokenReused = "refresh_token_reused"
    case deviceRevoked = "device_revoked"
    case deviceReplaced = "device_replaced"
    case forbidden = "forbidden"
    case notFound = "not_found"
    case methodNotAllowed = "method_not_allowed"
    case upgradeRequired = "upgrade_required"
    case unknownConversation = "unknown_conversation"
    case unknownUser = "unknown_user"
    case blocked = "blocked"
    case sameUser = "same_user"
    case refReused = "ref_reused"
    case handleTaken = "handle_taken"
    case tooManyDevices = "too_many_devices"

    // Later it may work.
    case requestTimeout = "request_timeout"
    case rateLimited = "rate_limited"
    case overloaded = "overloaded"
    case storeUnavailable = "store_unavailable"
    case storageFull = "storage_full"
    case internalError = "internal_error"

    /// Whether the same request may succeed when it is tried again.
    public var isRetryable: Bool {
        switch self {
        case .requestTimeout, .rateLimited, .overloaded, .storeUnavailable, .storageFull, .internalError: true
        default: false
        }
    }

    /// The status of a REST answer.
    public var httpStatus: Int {
        switch self {
        case .malformedFrame, .unknownFrame, .wrongEncoding, .helloExpected, .alreadyGreeted, .invalidField,
            .missingField, .beyondLast, .sameUser:
            400
        case .unauthenticated, .tokenExpired, .wrongCredentials, .refreshTokenReused, .deviceRevoked,
            .deviceReplaced:
            401
        case .forbidden, .blocked: 403
        case .notFound, .unknownConversation, .unknownUser: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .handleTaken, .refReused, .tooManyDevices: 409
        case .tooLarge: 413
        case .upgradeRequired: 426
        case .rateLimited: 429
        case .internalError: 500
        case .overloaded, .storeUnavailable: 503
        case .storageFull: 507
        }
    }
}

extension WireError {
    /// An error of the catalogue.
    public init(_ code: ErrorCode, _ message: String, field: String = "", retryAfterMilliseconds: UInt32 = 0) {
        self.init()
        self.code = code.rawValue
        self.message = message
        self.field = field
        retryable = code.isRetryable
        retryAfterMs = retryAfterMilliseconds
    }

    /// What a refusal of the store is for the client.
    public init(_ refusal: Refusal) {
        switch refusal {
        case .unknownConversation:
            self.init(.unknownConversation, "there is no such conversation, or you are no member of it")
        case .unknownUser: self.init(.unknownUser, "there is no user with this id", field: "user")
        case .blocked: self.init(.blocked, "this conversation is blocked")
        case .sameUser: self.init(.sameUser, "you cannot write to yourself", field: "user")
        case .refReused(let first):
            self.init(.refReused, "this ref was used for another message, \(first)", field: "ref")
        case .beyondLast(let last): self.init(.beyondLast, "the last sequence there is is \(last)")
        case .deviceRevoked(let reason): self.init(reason)
        case .limited: self.init(.rateLimited, "you send too much; try again later", retryAfterMilliseconds: 1_000)
        }
    }

    /// What a revoked device is told when it comes back.
    public init(_ reason: RevocationReason) {
        switch reason {
        case .loggedOut: self.init(.deviceRevoked, "this device was logged out; log in again")
        case .replaced:
            self.init(.deviceReplaced, "this device gave way to a new login, since its user had too many; log in again")
        case .tokenReused:
            self.init(.deviceRevoked, "this device was logged out, since an old refresh token of it came; log in again")
        case .passwordChanged:
            self.init(.deviceRevoked, "this device was logged out, since the password was changed; log in again")
        }
    }

    /// What a failure of the store is for the client.
    public init(_ failure: StoreError) {
        switch failure {
        case .overloaded:
            self.init(.overloaded, "the node has too much to store; try again", retryAfterMilliseconds: 500)
        case .diskFull:
            self.init(.storageFull, "the store is full; try again later", retryAfterMilliseconds: 5_000)
        case .unavailable, .closed:
            self.init(.storeUnavailable, "the store is not available; try again", retryAfterMilliseconds: 1_000)
        }
    }
}
