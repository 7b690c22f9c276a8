import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@Suite("Refused credentials are counted by reason")
struct RefusedCredentialTests {
    @Test("Tokens, and what is no credential's fault is not counted")
    func tokens() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        _ = try await api.send(.get, "/v1/users/@nobody", token: alice.accessToken)
        _ = try await api.send(.get, "/v1/nowhere")
        #expect(api.refused.all == [])
        _ = try await api.send(.get, "/v1/users/me")
        _ = try await api.send(.get, "/v1/users/me", token: "nonsense")
        #expect(try await api.send(.delete, "/v1/sessions/current", token: alice.accessToken).status == 204)
        _ = try await api.send(.get, "/v1/users/me", token: alice.accessToken)
        api.clock.advance(by: .seconds(86_400))
        _ = try await api.send(.get, "/v1/users/me", token: alice.accessToken)
        #expect(api.refused.all == [.tokenMissing, .tokenInvalid, .deviceRevoked, .tokenExpired])
    }

    @Test("Passwords, of people who are known or not")
    func passwords() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        var change = WirePasswordChange()
        change.oldPassword = "wrong horse"
        change.newPassword = "battery staple"
        _ = try await api.send(.post, "/v1/users/me/password", change, token: alice.accessToken)
        for (handle, password) in [("alice", "wrong horse"), ("nobody", "any"), ("alice", long)] {
            _ = try await api.send(.post, "/v1/sessions", APIHarness.newLogin(handle, password: password))
        }
        #expect(api.refused.all == Array(repeating: .passwordWrong, count: 4))
    }

    private let long = String(repeating: "x", count: Limits.Account.passwordBytes.upperBound + 1)

    @Test("Refresh tokens")
    func refreshTokens() async throws {
        let api = try await APIHarness()
        let (phone, laptop) = (try await api.member("alice"), try await api.login("alice"))
        _ = try await api.refresh("nonsense")
        let successor: WireTokens = try await api.refresh(phone.refreshToken).decoded()
        #expect(try await api.refresh(successor.refreshToken).status == 200)
        api.clock.advance(by: .seconds(Limits.Account.refreshGraceSeconds + 1))
        _ = try await api.refresh(phone.refreshToken)
        api.clock.advance(by: .seconds(Int64(Limits.Account.refreshTokenDays) * 86_400))
        _ = try await api.refresh(laptop.refreshToken)
        #expect(api.refused.all == [.refreshInvalid, .refreshReused, .refreshExpired])
    }
}
