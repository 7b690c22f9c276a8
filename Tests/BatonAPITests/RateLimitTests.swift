import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@testable import BatonAPI

@Suite("Rate limits")
struct RateLimitTests {
    @Test("Failed logins to an account are limited, whether there is one or not; a token comes back in time")
    func perAccount() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        for handle in ["alice", "nobody"] {
            let guess = APIHarness.newLogin(handle, password: "wrong horse")
            for attempt in 0..<20 {
                let address = "192.0.2.\(attempt)"
                #expect(try await api.send(.post, "/v1/sessions", guess, from: address).code == .wrongCredentials)
            }
            let refused = try await api.send(.post, "/v1/sessions", APIHarness.newLogin(handle), from: "192.0.2.99")
            #expect(refused.status == 429)
            #expect(refused.code == .rateLimited)
            #expect(refused.headers[.retryAfter] == "180")
            #expect(refused.error?.retryAfterMs == 180_000)
            #expect(refused.error?.retryable == true)
        }
        api.clock.advance(by: .seconds(180))
        for _ in 0..<2 {
            #expect(try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice")).status == 201)
        }
    }

    private static func login(
        _ api: APIHarness, _ password: String = APIHarness.password, from address: String
    ) async throws -> APIHarness.Answer {
        try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice", password: password), from: address)
    }

    @Test("Twenty wrong passwords from elsewhere do not lock the owner out where the account is used")
    func strangers() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        let phone = try await api.login("alice", from: "198.51.100.1")
        let laptop = try await api.login("alice", from: "2001:db8:1:2::7")
        for number in 0..<20 {
            #expect(try await Self.login(api, "wrong horse", from: "192.0.2.\(number)").code == .wrongCredentials)
        }
        #expect(try await Self.login(api, from: "192.0.2.99").code == .rateLimited)
        // At home, also elsewhere in the same network of IPv6; once the phone has moved on, where it was as well.
        #expect(try await Self.login(api, from: "198.51.100.1").status == 201)
        #expect(try await Self.login(api, from: "2001:db8:1:2::8").status == 201)
        #expect(try await api.refresh(phone.refreshToken, from: "203.0.113.5").status == 200)
        #expect(try await Self.login(api, from: "203.0.113.5").status == 201)
        // Logged out there by oneself, it stays home.
        for device in [phone, laptop] {
            let path = "/v1/devices/\(device.device)"
            _ = try await api.send(.delete, path, token: laptop.accessToken)
        }
        #expect(try await Self.login(api, from: "203.0.113.5").status == 201)
    }

    @Test("Where an account is used, guesses are limited too, by a bucket of that address")
    func home() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        _ = try await api.login("alice", from: "198.51.100.1")
        _ = try await api.login("alice", from: "198.51.100.2")
        for _ in 0..<20 {
            #expect(try await Self.login(api, "wrong horse", from: "198.51.100.1").code == .wrongCredentials)
        }
        #expect(try await Self.login(api, from: "198.51.100.1").code == .rateLimited)
        #expect(try await Self.login(api, from: "198.51.100.2").status == 201)
        #expect(try await Self.login(api, from: "192.0.2.1").status == 201)
    }

    @Test("Many guesses at once are counted like one after the other")
    func atOnce() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        let codes = try await withThrowingTaskGroup(of: ErrorCode?.self) { tasks in
            for number in 0..<60 {
                tasks.addTask { try await Self.login(api, "wrong horse", from: "192.0.2.\(number)").code }
            }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == .wrongCredentials } == 20)
        #expect(codes.count { $0 == .rateLimited } == 40)
    }

    @Test("A login that succeeds costs nothing of the failures, one that the node could not carry out neither")
    func failuresOnly() async throws {
        let api = try await APIHarness {
            $0.rateLimits.loginPerAccount.capacity = 1
            $0.rateLimits.loginPerAddress.capacity = 1
        }
        _ = try await api.register("alice")
        for _ in 0..<3 { #expect(try await Self.login(api, from: "192.0.2.1").status == 201) }
        api.accounts.fail(with: .diskFull)
        for _ in 0..<3 { #expect(try await Self.login(api, from: "192.0.2.1").code == .storageFull) }
        api.accounts.fail(with: nil)
        #expect(try await Self.login(api, from: "192.0.2.1").status == 201)
        #expect(try await Self.login(api, "wrong horse", from: "192.0.2.1").code == .wrongCredentials)
        #expect(try await Self.login(api, from: "192.0.2.1").code == .rateLimited)
    }

    @Test("Logins with the right password are limited by user: each makes a device")
    func perUserLogins() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        for number in 0..<60 { #expect(try await Self.login(api, from: "192.0.2.\(number)").status == 201) }
        let refused = try await Self.login(api, from: "192.0.2.61")
        #expect(refused.code == .rateLimited && refused.headers[.retryAfter] == "60")
        api.clock.advance(by: .seconds(60))
        #expect(try await Self.login(api, from: "192.0.2.61").status == 201)
    }

    @Test("A refused login costs no hash")
    func refusalIsCheap() async throws {
        let passwords = PasswordHasher(parameters: APIHarness.cheap, threads: 1, queue: 8)
        let api = try await APIHarness(passwords: passwords) { $0.rateLimits.loginPerAccount.capacity = 1 }
        for _ in 0..<5 { _ = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("nobody")) }
        #expect(passwords.counters.computed == 1)
        try await passwords.shutdown()
    }

    @Test("Failed logins from an address are limited, whatever the account")
    func perAddress() async throws {
        let api = try await APIHarness()
        for number in 0..<120 {
            let answer = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("user\(number)"))
            #expect(answer.code == .wrongCredentials)
        }
        let refused = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("another"))
        #expect(refused.code == .rateLimited)
        #expect(refused.headers[.retryAfter] == "30")
        let elsewhere = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("another"), from: "192.0.2.2")
        #expect(elsewhere.code == .wrongCredentials)
    }

    @Test("Registrations from an address are limited, and an operator may raise that")
    func registrations() async throws {
        let api = try await APIHarness()
        for number in 0..<60 { _ = try await api.register("user\(number)") }
        #expect(try await api.send(.post, "/v1/users", APIHarness.newAccount("surplus")).code == .rateLimited)
        let open = try await APIHarness { $0.rateLimits.registrationPerAddress.capacity = 61 }
        for number in 0..<61 { _ = try await open.register("user\(number)") }
        #expect(try await open.send(.post, "/v1/users", APIHarness.newAccount("surplus")).code == .rateLimited)
    }

    @Test(
        "An address that has used up its attempts is told so before its body is looked at",
        arguments: ["/v1/users", "/v1/sessions", "/v1/sessions/refresh"])
    func bodyIsNotRead(_ path: String) async throws {
        let api = try await APIHarness {
            $0.rateLimits.registrationPerAddress.capacity = 1
            $0.rateLimits.loginPerAddress.capacity = 1
            $0.rateLimits.refreshPerAddress.capacity = 1
        }
        #expect(try await api.send(.post, path, json: "no JSON").code == .malformedFrame)
        #expect(try await api.send(.post, path, json: "no JSON").code == .rateLimited)
        #expect(try await api.send(.post, path, json: "no JSON", from: "192.0.2.2").code == .malformedFrame)
    }

    @Test("Refreshes are limited by address, and by token")
    func refreshes() async throws {
        let api = try await APIHarness { $0.rateLimits.refreshPerAddress.capacity = 3 }
        for _ in 0..<3 { #expect(try await api.refresh(RefreshToken.random().text).code == .unauthenticated) }
        #expect(try await api.refresh(RefreshToken.random().text).code == .rateLimited)
        let token = RefreshToken.random().text
        for number in 0..<5 {
            #expect(try await api.refresh(token, from: "198.51.100.\(number)").code == .unauthenticated)
        }
        #expect(try await api.refresh(token, from: "198.51.100.99").code == .rateLimited)
    }

    @Test("A refused refresh leaves the token good")
    func refusedRefresh() async throws {
        let api = try await APIHarness { $0.rateLimits.refreshPerAddress.capacity = 1 }
        let alice = try await api.member("alice")
        _ = try await api.refresh(RefreshToken.random().text)
        #expect(try await api.refresh(alice.refreshToken).code == .rateLimited)
        api.clock.advance(by: .seconds(1))
        #expect(try await api.refresh(alice.refreshToken).status == 200)
    }

    @Test("Changes of a password and looks at profiles are limited by user")
    func perUser() async throws {
        let api = try await APIHarness { $0.rateLimits.lookupPerUser.capacity = 4 }
        let alice = try await api.member("alice")
        let bob = try await api.member("bob")
        for _ in 0..<4 {
            #expect(try await api.send(.get, "/v1/users/@bob", token: alice.accessToken).status == 200)
        }
        #expect(try await api.send(.get, "/v1/users/@bob", token: alice.accessToken).code == .rateLimited)
        #expect(try await api.send(.get, "/v1/users/@alice", token: bob.accessToken).status == 200)
        var change = WirePasswordChange()
        change.oldPassword = "wrong horse"
        change.newPassword = "battery staple"
        for _ in 0..<5 {
            let answer = try await api.send(.post, "/v1/users/me/password", change, token: alice.accessToken)
            #expect(answer.code == .wrongCredentials)
        }
        let refused = try await api.send(.post, "/v1/users/me/password", change, token: alice.accessToken)
        #expect(refused.code == .rateLimited)
    }

    @Test(
        "One customer's addresses are one: a /64 of IPv6, an IPv4 address in either spelling",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("::1", "0:0:0:0::/64"), ("nonsense", "local"), ("", "local"), ("1.2.3.4.5", "local"), (nil, "local"),
        ] as [(String?, String)])
    func networks(_ address: String?, _ name: String) {
        #expect(ClientNetwork.name(of: address) == name)
    }
}
