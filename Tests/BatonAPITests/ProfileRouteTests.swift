import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@Suite("Profiles and blocks")
struct ProfileRouteTests {
    @Test("An own profile changes in the fields that are given")
    func changes() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let all = """
            {"displayName": "Alice L.", "about": "in Wonderland", "phone": "+4915112345678", "email": "a@b.org"}
            """
        let changed: WireProfile =
            try await api.send(.patch, "/v1/users/me", json: all, token: alice.accessToken).decoded()
        #expect(changed.displayName == "Alice L.")
        #expect(changed.about == "in Wonderland")
        #expect(changed.phone == "+4915112345678")
        let removed: WireProfile =
            try await api.send(.patch, "/v1/users/me", json: "{\"phone\":\"\"}", token: alice.accessToken).decoded()
        #expect(removed.phone == "")
        #expect(removed.email == "a@b.org")
        #expect(removed.displayName == "Alice L.")
        let same: WireProfile =
            try await api.send(.patch, "/v1/users/me", json: "{}", token: alice.accessToken).decoded()
        #expect(same == removed)
        let get: WireProfile = try await api.send(.get, "/v1/users/me", token: alice.accessToken).decoded()
        #expect(get == removed)
    }

    static let badChanges = [
        ("{\"displayName\":\"\"}", "display_name"), ("{\"phone\":\"123\"}", "phone"), ("{\"email\":\"x\"}", "email"),
        ("{\"about\":\"\(String(repeating: "x", count: 257))\"}", "about"), ("{\"about\":\"a\\nb\"}", "about"),
    ]

    @Test("A wrong change is refused whole", arguments: badChanges)
    func badChange(_ json: String, _ field: String) async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let before = try await api.send(.get, "/v1/users/me", token: alice.accessToken)
        let answer = try await api.send(.patch, "/v1/users/me", json: json, token: alice.accessToken)
        #expect(answer.status == 400)
        #expect(answer.error?.field == field)
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).body == before.body)
    }

    @Test("Phone and email change five times a day; whether somebody has them is not told")
    func contacts() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let bob = try await api.member("bob")
        func change(_ member: WireTokens, _ json: String) async throws -> APIHarness.Answer {
            try await api.send(.patch, "/v1/users/me", json: json, token: member.accessToken)
        }
        let phone = "{\"phone\":\"+4915112345678\"}"
        #expect(try await change(alice, phone).status == 200)
        for json in [phone, "{\"email\":\"a@b.org\"}", "{\"phone\":\"\"}", phone, "{\"phone\":\"\",\"email\":\"\"}"] {
            #expect(try await change(bob, json).status == 200)
        }
        let refused = try await change(bob, phone)
        #expect(refused.code == .rateLimited)
        #expect(refused.headers[.retryAfter] == "17280")
        // What is wrong costs nothing, and the rest of the profile is another matter.
        #expect(try await change(alice, "{\"phone\":\"1\"}").code == .invalidField)
        #expect(try await change(bob, "{\"about\":\"hello\"}").status == 200)
        api.clock.advance(by: .seconds(17_280))
        #expect(try await change(try await api.login("bob"), phone).status == 200)
    }

    @Test("Another user's profile is found by id and handle, without phone, email and presence")
    func publicProfile() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let bob = try await api.member("bob")
        let json = "{\"phone\":\"+4915112345678\",\"email\":\"a@b.org\",\"about\":\"hello\"}"
        _ = try await api.send(.patch, "/v1/users/me", json: json, token: alice.accessToken)
        api.presence.set([try alice.userID: .online])
        for path in ["/v1/users/\(alice.user)", "/v1/users/@alice", "/v1/users/@ALICE", "/v1/users/%40alice"] {
            let answer = try await api.send(.get, path, token: bob.accessToken)
            #expect(answer.status == 200)
            let profile: WireProfile = try answer.decoded()
            #expect(profile.id == alice.user)
            #expect(profile.about == "hello")
            #expect(profile.phone == "")
            #expect(profile.email == "")
            #expect(!profile.hasPresence)
        }
        let own: WireProfile = try await api.send(.get, "/v1/users/@alice", token: alice.accessToken).decoded()
        #expect(own.phone == "+4915112345678")
    }

    @Test(
        "Who does not exist is 404, whatever was asked for",
        arguments: [
            "0000000000001", "@nobody", "@", "@ä", "nonsense", "%F0%9F", "@%00", "..", "-1",
        ])
    func unknownProfile(_ name: String) async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let answer = try await api.send(.get, "/v1/users/\(name)", token: alice.accessToken)
        #expect(answer.status == 404)
        #expect(answer.code == .unknownUser)
    }

    @Test("Presence is shown to who was answered, not where one of the two blocked the other, which nodes are told")
    func presence() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let bob = try await api.member("bob")
        let (aliceID, bobID) = (try alice.userID, try bob.userID)
        api.conversations.send([], from: aliceID, to: bobID, at: api.clock.now)
        func seen() async throws -> WirePresenceUpdate? {
            let answer = try await api.send(.get, "/v1/users/\(alice.user)", token: bob.accessToken)
            let profile: WireProfile = try answer.decoded()
            return profile.hasPresence ? profile.presence : nil
        }
        api.presence.set([aliceID: .online])
        #expect(try await seen() == nil, "bob has not answered, so neither sees the other")
        api.conversations.send([], from: bobID, to: aliceID, at: api.clock.now)
        #expect(try await seen()?.online == true)
        api.presence.set([aliceID: .offline(lastSeen: Timestamp(milliseconds: 5_000))])
        #expect(try await seen()?.lastSeenMs == 5_000)
        // What the registry has forgotten, the store knows.
        api.presence.set([:])
        try await api.accounts.recordLastSeen([aliceID: Timestamp(milliseconds: 4_000)])
        #expect(try await seen()?.lastSeenMs == 4_000)
        #expect(try await seen()?.online == false)
        api.presence.set(nil)
        #expect(try await seen() == nil)
        api.presence.set([aliceID: .online])
        #expect(try await api.send(.put, "/v1/blocks/\(bob.user)", token: alice.accessToken).status == 204)
        #expect(try await seen() == nil)
        #expect(api.acquaintances.announced == [[aliceID, bobID]])
        #expect(try await api.send(.delete, "/v1/blocks/\(bob.user)", token: alice.accessToken).status == 204)
        #expect(try await seen()?.online == true)
        #expect(api.acquaintances.announced == [[aliceID, bobID], [aliceID, bobID]])
    }

    @Test("Blocks may be repeated; oneself and nobody cannot be blocked")
    func blocks() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let bob = try await api.member("bob")
        for method in [HTTPRequest.Method.put, .put, .delete, .delete] {
            #expect(try await api.send(method, "/v1/blocks/\(bob.user)", token: alice.accessToken).status == 204)
        }
        let own = try await api.send(.put, "/v1/blocks/\(alice.user)", token: alice.accessToken)
        #expect(own.status == 400)
        #expect(own.code == .sameUser)
        for name in ["0000000000001", "nonsense", "@bob"] {
            let answer = try await api.send(.put, "/v1/blocks/\(name)", token: alice.accessToken)
            #expect(answer.status == 404)
            #expect(answer.code == .unknownUser)
        }
    }
}
