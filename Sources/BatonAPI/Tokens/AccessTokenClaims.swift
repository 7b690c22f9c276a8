package import JWTKit

/// What an access token says, and nothing else. Times are whole seconds since 1970.
package struct AccessTokenClaims: JWTPayload, Hashable {
    /// Who issued it.
    package var iss: String
    /// Whom it is for.
    package var aud: String
    /// The user.
    package var sub: String
    /// The device.
    package var dev: String
    package var iat: Int64
    package var exp: Int64
    /// Tells tokens apart, in logs.
    package var jti: String

    package init(iss: String, aud: String, sub: String, dev: String, iat: Int64, exp: Int64, jti: String) {
        self.iss = iss
        self.aud = aud
        self.sub = sub
        self.dev = dev
        self.iat = iat
        self.exp = exp
        self.jti = jti
    }

    /// Nothing: the authority compares the claims with its own clock and names.
    package func verify(using algorithm: some JWTAlgorithm) throws {}
}
