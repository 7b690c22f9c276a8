package import BatonCore
import Foundation
import JWTKit

/// Issues and verifies access tokens: JWTs signed with Ed25519, for 15 minutes.
///
/// Which key verifies a token is decided here, not by the library, which falls back to a default key for an unknown
/// `kid`: the header must name EdDSA and one of our keys, and the library is given that one key only.
package struct TokenAuthority: TokenVerifier {
    /// Bytes of a token at most; ours have about 330.
    static let maximumBytes = 1_024

    private let keys: SigningKeys
    /// A collection a key, so that there is never a choice to be made.
    private let collections: [String: JWTKeyCollection]
    private let issuer: String
    private let audience: String
    private let lifetimeSeconds: Int64
    private let clock: any CivilClock

    /// - Parameters:
    ///   - issuer: the cluster's name; tokens of another are not taken.
    ///   - audience: what the tokens are for.
    package init(
        keys: SigningKeys, issuer: String = "baton", audience: String = "baton",
        accessTokenMinutes: Int = Limits.Account.accessTokenMinutes, clock: any CivilClock
    ) async {
        var collections: [String: JWTKeyCollection] = [:]
        for key in keys.keys {
            collections[key.id] = await JWTKeyCollection().add(
                eddsa: EdDSA.PrivateKey(backing: key.privateKey), kid: JWKIdentifier(string: key.id))
        }
        self.keys = keys
        self.collections = collections
        self.issuer = issuer
        self.audience = audience
        lifetimeSeconds = Int64(clamping: accessTokenMinutes) * 60
        self.clock = clock
    }

    package func issue(to user: UserID, on device: DeviceID) async throws(AuthenticationError) -> AccessToken {
        let now = clock.now
        let key = keys.signing(at: now)
        let seconds = now.milliseconds / 1_000
        let lifetime = lifetimeSeconds
        let claims = AccessTokenClaims(
            iss: issuer, aud: audience, sub: user.description, dev: device.description, iat: seconds,
            exp: seconds + lifetime, jti: Base64.url(SecureRandom.bytes(9)))
        guard let collection = collections[key.id],
            let text = try? await collection.sign(claims, kid: JWKIdentifier(string: key.id))
        else { throw .invalid }
        return AccessToken(text: text, lifetimeSeconds: UInt32(lifetime))
    }

    package func verify(accessToken: String) async throws(AuthenticationError) -> Principal {
        guard !accessToken.isEmpty else { throw .missing }
        guard accessToken.utf8.count <= Self.maximumBytes, let collection = collection(for: accessToken),
            let claims = try? await collection.verify(accessToken, as: AccessTokenClaims.self),
            claims.iss == issuer, claims.aud == audience, let user = UserID(claims.sub),
            let device = DeviceID(claims.dev)
        else { throw .invalid }
        let (milliseconds, overflow) = claims.exp.multipliedReportingOverflow(by: 1_000)
        guard !overflow else { throw .invalid }
        let expiresAt = Timestamp(milliseconds: milliseconds)
        // The node that issued it may have a clock that is behind.
        let leeway = Limits.Account.tokenLeewaySeconds * 1_000
        guard clock.now < expiresAt.advanced(byMilliseconds: leeway) else { throw .expired }
        return Principal(user: user, device: device, expiresAt: expiresAt)
    }

    private struct Header: Decodable {
        let alg: String
        let kid: String
    }

    /// The one key that may have signed this token.
    private func collection(for token: String) -> JWTKeyCollection? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decodeURL(parts[0]), Base64.decodeURL(parts[1]) != nil,
            Base64.decodeURL(parts[2])?.count == 64,
            let header = try? JSONDecoder().decode(Header.self, from: Data(bytes)), header.alg == "EdDSA"
        else { return nil }
        return collections[header.kid]
    }
}

package struct AccessToken: Hashable, Sendable {
    package let text: String
    package let lifetimeSeconds: UInt32
}
