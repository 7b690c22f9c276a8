import BatonAPI
import BatonCore
import BatonTestKit
import Crypto
import Foundation
import JWTKit
import Testing

@Suite("Access tokens")
struct TokenTests {
    private let clock = MutableClock()
    private let user = UserID(rawValue: 7)
    private let device = DeviceID(rawValue: 8)
    private let seed = [UInt8](repeating: 42, count: 32)

    private func authority(issuer: String = "baton", audience: String = "baton") async throws -> TokenAuthority {
        let key = try #require(SigningKeys.Key(id: "k1", seed: seed, created: clock.now))
        return await TokenAuthority(
            keys: try #require(SigningKeys([key])), issuer: issuer, audience: audience, clock: clock)
    }

    private func claims() -> AccessTokenClaims {
        let seconds = clock.now.milliseconds / 1_000
        return AccessTokenClaims(
            iss: "baton", aud: "baton", sub: user.description, dev: device.description, iat: seconds,
            exp: seconds + 900, jti: "t")
    }

    /// A token with our claims, by whatever key and under whatever header.
    private func forge(
        kid: String? = "k1", _ claims: AccessTokenClaims, _ add: (JWTKeyCollection) async throws -> Void
    ) async throws -> String {
        let collection = JWTKeyCollection()
        try await add(collection)
        var header = JWTHeader()
        header.kid = kid
        return try await collection.sign(claims, header: header)
    }

    private func ours() throws -> EdDSA.PrivateKey {
        EdDSA.PrivateKey(backing: try Curve25519.Signing.PrivateKey(rawRepresentation: seed))
    }

    private func expectInvalid(_ token: String, _ comment: Comment? = nil) async throws {
        let authority = try await authority()
        await #expect(throws: AuthenticationError.invalid, comment) {
            try await authority.verify(accessToken: token)
        }
    }

    @Test("A token tells whose device it was issued to, for 15 minutes and the leeway, to the millisecond")
    func lifetime() async throws {
        let authority = try await authority()
        let token = try await authority.issue(to: user, on: device)
        #expect(token.lifetimeSeconds == 900)
        let principal = try await authority.verify(accessToken: token.text)
        #expect(principal.user == user)
        #expect(principal.device == device)
        #expect(principal.expiresAt == clock.now.advanced(byMilliseconds: 900_000))
        clock.advance(by: .milliseconds(899_999 + Limits.Account.tokenLeewaySeconds * 1_000))
        _ = try await authority.verify(accessToken: token.text)
        clock.advance(by: .milliseconds(1))
        await #expect(throws: AuthenticationError.expired) { try await authority.verify(accessToken: token.text) }
    }

    @Test("A token that we would have made is taken: the forgeries below fail for their own reasons")
    func control() async throws {
        let token = try await forge(claims()) { await $0.add(eddsa: try ours()) }
        #expect(try await authority().verify(accessToken: token).user == user)
    }

    @Test("No algorithm but ours is taken, whatever the header says")
    func algorithms() async throws {
        let publicKey = try ours().publicKey.rawRepresentation
        try await expectInvalid(
            try await forge(claims()) {
                await $0.add(hmac: HMACKey(key: SymmetricKey(data: publicKey)), digestAlgorithm: .sha256)
            })
        try await expectInvalid(try await forge(claims()) { await $0.addUnsecuredNone() })
        try await expectInvalid(try await forge(claims()) { await $0.add(ecdsa: ES256PrivateKey()) })
        // Our own key's signature, and right: only the header's words are wrong.
        let good = try await forge(claims()) { await $0.add(eddsa: try ours()) }
        let payload = good.split(separator: ".")[1]
        let control = try sign(header: "{\"alg\":\"EdDSA\",\"kid\":\"k1\"}", payload)
        _ = try await authority().verify(accessToken: control)
        for header in [
            "{\"alg\":\"none\",\"kid\":\"k1\"}", "{\"alg\":\"HS256\",\"kid\":\"k1\"}", "{\"kid\":\"k1\"}",
            "{\"alg\":\"eddsa\",\"kid\":\"k1\"}", "{\"alg\":\"EdDSA\"}", "{\"alg\":\"EdDSA\",\"kid\":1}", "{}", "[]",
            "",
        ] {
            let token = try sign(header: header, payload)
            try await expectInvalid(token, "\(header)")
            try await expectInvalid(String(token.prefix(through: try #require(token.lastIndex(of: ".")))), "\(header)")
        }
    }

    /// A token whose signature is our key's, under any header.
    private func sign(header: String, _ payload: Substring) throws -> String {
        let text = "\(encoded(Data(header.utf8))).\(payload)"
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        return "\(text).\(encoded(try key.signature(for: Data(text.utf8))))"
    }

    private func encoded(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "=", with: "")
            .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
    }

    @Test(
        "A key of another name, or of nobody, verifies nothing", arguments: ["k2", "", "K1", "k1 ", nil] as [String?])
    func unknownKeys(_ kid: String?) async throws {
        try await expectInvalid(try await forge(kid: kid, claims()) { await $0.add(eddsa: try ours()) })
    }

    @Test("Another key under our key's name verifies nothing")
    func foreignKey() async throws {
        try await expectInvalid(try await forge(claims()) { await $0.add(eddsa: try EdDSA.PrivateKey()) })
    }

    @Test("Claims that are not for us are not taken")
    func foreignClaims() async throws {
        let changes: [(inout AccessTokenClaims) -> Void] = [
            { $0.iss = "other" }, { $0.aud = "other" }, { $0.sub = "x" }, { $0.sub = "" }, { $0.dev = "x" },
            { $0.exp = .max }, { $0.exp = .min },
        ]
        for change in changes {
            var claims = claims()
            change(&claims)
            try await expectInvalid(try await forge(claims) { await $0.add(eddsa: try ours()) })
        }
    }

    @Test("A token that was cut or changed anywhere is not taken")
    func tampered() async throws {
        let authority = try await authority()
        let token = Array(try await authority.issue(to: user, on: device).text.utf8)
        for length in 0..<token.count {
            await #expect(throws: AuthenticationError.self) {
                try await authority.verify(accessToken: String(decoding: token.prefix(length), as: UTF8.self))
            }
        }
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            await #expect(throws: AuthenticationError.invalid) {
                try await authority.verify(accessToken: String(decoding: changed, as: UTF8.self))
            }
        }
        let text = String(decoding: token, as: UTF8.self)
        for changed in [text + ".", text + "A", "." + text, text + "=", " " + text, text + "\n", text + "." + text] {
            await #expect(throws: AuthenticationError.invalid) { try await authority.verify(accessToken: changed) }
        }
    }

    @Test("Random text is not taken, and never more than an error")
    func fuzz() async throws {
        let authority = try await authority()
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            let count = Int.random(in: 1...1_200, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            await #expect(throws: AuthenticationError.invalid) {
                try await authority.verify(accessToken: String(decoding: bytes, as: UTF8.self))
            }
            let parts = (0..<3).map { _ in Data(bytes.prefix(64)).base64EncodedString().prefix { $0 != "=" } }
            await #expect(throws: AuthenticationError.invalid) {
                try await authority.verify(accessToken: parts.joined(separator: "."))
            }
        }
        await #expect(throws: AuthenticationError.missing) { try await authority.verify(accessToken: "") }
    }

    @Test("The newest key in force signs; all keys verify")
    func rotation() async throws {
        let old = try #require(SigningKeys.Key(id: "old", seed: seed, created: clock.now))
        let later = clock.now.advanced(byMilliseconds: 60_000)
        let new = try #require(SigningKeys.Key(id: "new", seed: Array(seed.map { $0 + 1 }), created: later))
        let both = try #require(SigningKeys([new, old]))
        #expect(both.signing(at: clock.now).id == "old")
        let authority = await TokenAuthority(keys: both, clock: clock)
        let before = try await authority.issue(to: user, on: device)
        clock.advance(by: .seconds(60))
        #expect(both.signing(at: clock.now).id == "new")
        let after = try await authority.issue(to: user, on: device)
        for token in [before, after] { _ = try await authority.verify(accessToken: token.text) }
        let onlyNew = await TokenAuthority(keys: try #require(SigningKeys([new])), clock: clock)
        _ = try await onlyNew.verify(accessToken: after.text)
        await #expect(throws: AuthenticationError.invalid) { try await onlyNew.verify(accessToken: before.text) }
    }
}
