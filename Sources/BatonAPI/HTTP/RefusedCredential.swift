package import BatonCore

/// A credential that was refused, as metrics name it. Finer than what the client is told.
package enum RefusedCredential: String, CaseIterable, Sendable {
    case tokenMissing = "token_missing"
    case tokenInvalid = "token_invalid"
    case tokenExpired = "token_expired"
    /// The token is good, its device is not any more.
    case deviceRevoked = "device_revoked"
    /// The wrong one, or that of nobody.
    case passwordWrong = "password_wrong"
    case refreshInvalid = "refresh_invalid"
    case refreshExpired = "refresh_expired"
    /// Its successor was exchanged before: stolen, or replayed.
    case refreshReused = "refresh_reused"

    package init(_ error: AuthenticationError) {
        switch error {
        case .missing: self = .tokenMissing
        case .invalid: self = .tokenInvalid
        case .expired: self = .tokenExpired
        }
    }
}
