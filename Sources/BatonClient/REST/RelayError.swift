public import BatonProtocol

/// An error of the relay's catalogue, as it came over the wire.
public struct RelayError: Error, Hashable, Sendable {
    /// nil for a code that is newer than this client; `codeText` has it.
    public let code: ErrorCode?
    /// The code's text, empty where the server sent none.
    public let codeText: String
    /// What was wrong and what is allowed, for people.
    public let message: String
    /// The field it is about, empty where it is about none.
    public let field: String
    /// The same may be tried again.
    public let isRetryable: Bool
    /// Not before this time; zero where the server named none.
    public let retryAfter: Duration

    public init(_ error: WireError) {
        code = ErrorCode(rawValue: error.code)
        codeText = error.code
        message = error.message
        field = error.field
        isRetryable = error.retryable
        retryAfter = .milliseconds(Int64(error.retryAfterMs))
    }

    /// An error of REST. Where the answer held none of ours (a proxy's page, say) the status decides.
    package init(_ error: WireError, status: Int) {
        guard error.code.isEmpty else {
            self.init(error)
            return
        }
        var wire = error
        wire.code = Self.code(of: status).rawValue
        wire.message = "the server answered \(status)"
        // A proxy's page says nothing of the relay: another address, or a later moment, may do better. What it says of the
        // request itself would be said again.
        wire.retryable = ![400, 401, 405, 413, 414, 415, 431].contains(status)
        self.init(wire)
    }

    /// Whether the device's login is over.
    var isOfRevokedDevice: Bool { code == .deviceRevoked || code == .deviceReplaced }

    /// Whether it says that the device's tokens are no longer good.
    var endsSession: Bool {
        switch code {
        case .unauthenticated, .tokenExpired, .refreshTokenReused, .deviceRevoked, .deviceReplaced: true
        default: false
        }
    }

    /// What a refusal of the device's tokens means for its session.
    var sessionEnd: OfflineReason { code == .deviceReplaced ? .replaced : .loggedOut }

    private static func code(of status: Int) -> ErrorCode {
        switch status {
        case 401: .unauthenticated
        case 403: .forbidden
        case 404: .notFound
        case 405: .methodNotAllowed
        case 413: .tooLarge
        case 429: .rateLimited
        case 502, 503, 504: .overloaded
        default: status >= 500 ? .internalError : .invalidField
        }
    }
}

extension RelayError: CustomStringConvertible {
    public var description: String {
        field.isEmpty ? "\(codeText): \(message)" : "\(codeText) (\(field)): \(message)"
    }
}
