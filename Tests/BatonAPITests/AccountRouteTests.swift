import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@Suite("Registration and login")
struct AccountRouteTests {
    @Test("A new user gets a profile, with its address, and can log in")
    func registers() async throws {
        let api = try await APIHarness()
        var account = APIHarness.newAccount("Alice.L")
        account.displayName = "Alice Liddell"
        account.phone = "+4915112345678"
        account.email = "Alice@Example.ORG"
        let answer = try await api.send(.post, "/v1/users", account)
        #expect(answer.status == 201)
        let profile: WireProfile = try answer.decoded()
        #expect(profile.handle == "alice.l")
        #expect(profile.displayName == "Alice Liddell")
        #expect(profile.phone == "+4915112345678")
        #expect(profile.email == "Alice@example.org")
        #expect(UserID(profile.id) != nil)
        #expect(profile.createdAtMs == UInt64(api.clock.now.milliseconds))
        #expect(answer.headers[.location] == "/v1/users/\(profile.id)")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.contentType] == "application/json")

        let session = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("ALICE.L"))
        #expect(session.status == 201)
        let tokens: WireTokens = try session.decoded()
        #expect(tokens.user == profile.id)
        #expect(tokens.expiresInSeconds == 900)
        let me = try await api.send(.get, "/v1/users/me", token: tokens.accessToken)
        #expect(me.status == 200)
        #expect(try me.decoded(as: WireProfile.self) == profile)
    }

    @Test("A password is never kept as it is, nor a refresh token")
    func keepsHashes() async throws {
        let api = try await APIHarness()
        let tokens = try await api.member("alice")
        let hash = try #require(try await api.accounts.credentials(handle: "alice")?.passwordHash)
        #expect(hash.hasPrefix("$argon2id$v=19$m=8,t=1,p=1$"))
        #expect(!hash.contains(APIHarness.password))
        #expect(tokens.refreshToken.utf8.count == 43)
        let refresh = try #require(RefreshToken(tokens.refreshToken))
        #expect(refresh.hash.count == 32)
        #expect(RefreshToken.random().text != RefreshToken.random().text)
    }

    @Test("A canary's handle cannot be registered, logged in with, or found", arguments: ["canary-n1", "CANARY-x"])
    func canaries(_ handle: String) async throws {
        let api = try await APIHarness()
        let answer = try await api.send(.post, "/v1/users", APIHarness.newAccount(handle))
        #expect(answer.status == 400 && answer.error?.field == "handle")
        #expect(answer.error?.message.contains("nodes' own") == true)
        let canary = UserID(rawValue: 77)
        _ = try await api.accounts.createUser(
            NewUser(
                id: canary, handle: handle.lowercased(), displayName: handle, passwordHash: "none", phone: nil,
                email: nil, createdAt: api.clock.now))
        let login = try await api.send(.post, "/v1/sessions", APIHarness.newLogin(handle))
        #expect(login.status == 400 && login.error?.field == "handle")
        let alice = try await api.member("alice")
        for name in ["@\(handle)", "\(canary)"] {
            #expect(try await api.send(.get, "/v1/users/\(name)", token: alice.accessToken).code == .unknownUser)
        }
    }

    @Test("A handle is taken once")
    func uniqueness() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        let twice = try await api.send(.post, "/v1/users", APIHarness.newAccount("ALICE"))
        #expect(twice.status == 409)
        #expect(twice.code == .handleTaken)
        #expect(twice.error?.field == "handle")
    }

    @Test("Whether somebody has a phone number or an email address is not told to who registers with it")
    func contactsAreNotTold() async throws {
        let api = try await APIHarness()
        for handle in ["alice", "bob"] {
            var account = APIHarness.newAccount(handle)
            account.phone = "+4915112345678"
            account.email = "a@example.org"
            let answer = try await api.send(.post, "/v1/users", account)
            #expect(answer.status == 201)
            let profile: WireProfile = try answer.decoded()
            #expect(profile.phone == account.phone && profile.email == account.email)
        }
    }

    static let badAccounts: [(change: @Sendable (inout WireNewAccount) -> Void, field: String, code: ErrorCode)] = [
        ({ $0.handle = "" }, "handle", .missingField),
        ({ $0.handle = "al" }, "handle", .invalidField),
        ({ $0.handle = String(repeating: "a", count: 33) }, "handle", .invalidField),
        ({ $0.handle = "1alice" }, "handle", .invalidField),
        ({ $0.handle = "al ice" }, "handle", .invalidField),
        ({ $0.handle = "älice" }, "handle", .invalidField),
        ({ $0.handle = "K\u{212A}elvin" }, "handle", .invalidField),
        ({ $0.displayName = "" }, "display_name", .missingField),
        ({ $0.displayName = "  \u{3000}" }, "display_name", .invalidField),
        ({ $0.displayName = String(repeating: "x", count: 65) }, "display_name", .invalidField),
        ({ $0.displayName = "a\u{0}b" }, "display_name", .invalidField),
        ({ $0.displayName = "a\nb" }, "display_name", .invalidField),
        ({ $0.displayName = "evil\u{202E}txt" }, "display_name", .invalidField),
        ({ $0.displayName = "z" + String(repeating: "\u{301}", count: 400) }, "display_name", .invalidField),
        ({ $0.password = "" }, "password", .missingField),
        ({ $0.password = "1234567" }, "password", .invalidField),
        ({ $0.password = String(repeating: "x", count: 257) }, "password", .invalidField),
        (
            {
                $0.handle = "alice.liddell"; $0.password = "Alice.Liddell"
            }, "password", .invalidField
        ),
        ({ $0.phone = "015112345678" }, "phone", .invalidField),
        ({ $0.phone = "+1234567" }, "phone", .invalidField),
        ({ $0.phone = "+1234567890123456" }, "phone", .invalidField),
        ({ $0.phone = "+0123456789" }, "phone", .invalidField),
        ({ $0.phone = "+49 151 1234" }, "phone", .invalidField),
        ({ $0.email = "alice" }, "email", .invalidField),
        ({ $0.email = "alice@localhost" }, "email", .invalidField),
        ({ $0.email = "a@b@c.org" }, "email", .invalidField),
        ({ $0.email = "a b@c.org" }, "email", .invalidField),
        ({ $0.email = "a@\(String(repeating: "b.", count: 130))org" }, "email", .invalidField),
        ({ $0.email = "a@b..org" }, "email", .invalidField),
    ]

    @Test("A wrong field is named, with what is allowed", arguments: badAccounts.indices)
    func validation(_ index: Int) async throws {
        let (change, field, code) = Self.badAccounts[index]
        var account = APIHarness.newAccount("alice")
        change(&account)
        let answer = try await APIHarness().send(.post, "/v1/users", account)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(answer.error?.field == field)
        #expect(answer.error?.message.hasPrefix(field) == true)
        #expect(answer.error?.retryable == false)
    }

    static let accountsAtTheBound: [@Sendable (inout WireNewAccount) -> Void] = [
        { $0.handle = "abc" },
        { $0.handle = "a" + String(repeating: "9", count: 31) },
        { $0.displayName = "x" },
        { $0.displayName = String(repeating: "👩‍👩‍👧", count: 12) },
        { $0.displayName = String(repeating: "x", count: 64) },
        { $0.password = "12345678" },
        { $0.password = String(repeating: "x", count: 256) },
        { $0.phone = "+12345678" },
        { $0.phone = "+123456789012345" },
        { $0.email = String(repeating: "a", count: 64) + "@b.c" },
    ]

    @Test("Everything at its bound is taken", arguments: accountsAtTheBound.indices)
    func bounds(_ index: Int) async throws {
        var account = APIHarness.newAccount("alice")
        Self.accountsAtTheBound[index](&account)
        let answer = try await APIHarness().send(.post, "/v1/users", account)
        #expect(answer.status == 201, "\(answer.text)")
    }

    @Test("Text is put into one form: what looks the same is the same")
    func normalises() async throws {
        let api = try await APIHarness()
        var account = APIHarness.newAccount("zoe")
        account.displayName = "Zoe\u{308}"
        account.password = "pa\u{308}ssword"
        let profile: WireProfile = try await api.send(.post, "/v1/users", account).decoded()
        #expect(Array(profile.displayName.unicodeScalars) == Array("Zo\u{EB}".unicodeScalars))
        let login = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("zoe", password: "p\u{E4}ssword"))
        #expect(login.status == 201)
    }

    @Test("An unknown user and a wrong password get the same answer, after the same work")
    func indistinguishable() async throws {
        let passwords = PasswordHasher(parameters: APIHarness.cheap, threads: 1, queue: 8)
        let api = try await APIHarness(passwords: passwords)
        _ = try await api.register("alice")
        let before = passwords.counters.computed
        let wrong = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice", password: "wrong horse"))
        let between = passwords.counters.computed
        let unknown = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("nobody"))
        let after = passwords.counters.computed
        #expect(wrong.status == 401)
        #expect(wrong.code == .wrongCredentials)
        #expect(wrong.body == unknown.body)
        #expect(wrong.headers == unknown.headers)
        #expect(unknown.status == 401)
        #expect(between - before == 1)
        #expect(after - between == 1)
        #expect(wrong.headers[.wwwAuthenticate] == "Bearer realm=\"baton\"")
        try await passwords.shutdown()
    }

    @Test("Each text may be as short and as long as its limit says", arguments: [true, false])
    func textBounds(longest: Bool) async throws {
        func text(_ range: ClosedRange<Int>) -> String {
            String(repeating: "x", count: longest ? range.upperBound : range.lowerBound)
        }
        let api = try await APIHarness()
        var account = APIHarness.newAccount(text(Limits.Account.handleBytes))
        account.displayName = text(1...Limits.Account.displayNameCharacters)
        account.password = text(Limits.Account.passwordBytes)
        #expect(try await api.send(.post, "/v1/users", account).status == 201)
        var login = APIHarness.newLogin(account.handle, password: account.password)
        login.deviceName = text(1...Limits.Account.deviceNameCharacters)
        login.platform = text(1...Limits.Account.platformCharacters)
        let answer = try await api.send(.post, "/v1/sessions", login)
        #expect(answer.status == 201)
        let token = try answer.decoded(as: WireTokens.self).accessToken
        let json = "{\"about\":\"\(text(0...Limits.Account.aboutCharacters))\"}"
        #expect(try await api.send(.patch, "/v1/users/me", json: json, token: token).status == 200)
    }

    @Test("A password longer than any can be is just wrong")
    func tooLongToBeRight() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        let long = String(repeating: "x", count: 300)
        let answer = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice", password: long))
        #expect(answer.code == .wrongCredentials)
    }

    static let badLogins: [(change: @Sendable (inout WireLogin) -> Void, field: String)] = [
        ({ $0.handle = "" }, "handle"), ({ $0.password = "" }, "password"),
        ({ $0.deviceName = "" }, "device_name"), ({ $0.platform = "" }, "platform"),
        ({ $0.deviceName = String(repeating: "x", count: 65) }, "device_name"),
        ({ $0.platform = String(repeating: "x", count: 33) }, "platform"),
    ]

    @Test("A login needs a handle, a password, a device's name and a platform", arguments: badLogins.indices)
    func loginValidation(_ index: Int) async throws {
        let (change, field) = Self.badLogins[index]
        var login = APIHarness.newLogin("alice")
        change(&login)
        let answer = try await APIHarness().send(.post, "/v1/sessions", login)
        #expect(answer.status == 400)
        #expect(answer.error?.field == field)
    }

    @Test("A hash of older parameters is made anew at the next login, and not again")
    func rehashes() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        let older = PasswordHasher(
            parameters: Argon2Parameters(memoryKiB: 16, iterations: 2, parallelism: 1), threads: 1, queue: 1)
        let id = try #require(try await api.accounts.user(handle: "alice")?.id)
        let first = try #require(try await api.accounts.credentials(handle: "alice")?.passwordHash)
        let outdated = try await older.hash(APIHarness.password)
        #expect(try await api.accounts.replacePasswordHash(first, by: outdated, of: id))
        _ = try await api.login("alice")
        let renewed = try await api.accounts.credentials(handle: "alice")?.passwordHash
        #expect(renewed?.hasPrefix("$argon2id$v=19$m=8,t=1,p=1$") == true)
        _ = try await api.login("alice")
        #expect(try await api.accounts.credentials(handle: "alice")?.passwordHash == renewed)
        try await older.shutdown()
    }
}
