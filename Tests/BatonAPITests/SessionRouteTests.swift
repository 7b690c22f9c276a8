import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@Suite("Sessions and devices")
struct SessionRouteTests {
    @Test("A refresh gives new tokens for the same device")
    func refreshes() async throws {
        let api = try await APIHarness()
        let first = try await api.member("alice")
        api.clock.advance(by: .seconds(16 * 60))
        #expect(try await api.send(.get, "/v1/users/me", token: first.accessToken).code == .tokenExpired)
        let answer = try await api.refresh(first.refreshToken)
        #expect(answer.status == 200)
        let second: WireTokens = try answer.decoded()
        #expect(second.user == first.user)
        #expect(second.device == first.device)
        #expect(second.refreshToken != first.refreshToken)
        #expect(try await api.send(.get, "/v1/users/me", token: second.accessToken).status == 200)
    }

    @Test("An old refresh token revokes its device everywhere, once its successor was used and the grace is over")
    func reuse() async throws {
        let api = try await APIHarness()
        let first = try await api.member("alice")
        let second: WireTokens = try await api.refresh(first.refreshToken).decoded()
        let third: WireTokens = try await api.refresh(second.refreshToken).decoded()
        api.clock.advance(by: .seconds(Limits.Account.refreshGraceSeconds + 1))
        let reuse = try await api.refresh(first.refreshToken)
        #expect(reuse.status == 401)
        #expect(reuse.code == .refreshTokenReused)
        #expect(api.revocations.announced == [try first.deviceID])
        let dead = try await api.send(.get, "/v1/users/me", token: third.accessToken)
        #expect(dead.status == 401)
        #expect(dead.code == .deviceRevoked)
        #expect(try await api.refresh(third.refreshToken).code == .deviceRevoked)
    }

    @Test("A doubled refresh gives the same successor twice, with which the device goes on after the grace")
    func doubled() async throws {
        let api = try await APIHarness()
        let first = try await api.member("alice")
        let second: WireTokens = try await api.refresh(first.refreshToken).decoded()
        let again: WireTokens = try await api.refresh(first.refreshToken).decoded()
        #expect(again.refreshToken == second.refreshToken)
        #expect(again.device == first.device)
        api.clock.advance(by: .seconds(65))
        #expect(try await api.refresh(second.refreshToken).status == 200)
        #expect(api.revocations.announced.isEmpty)
    }

    @Test("Refreshes in parallel give one successor, with which the device goes on after the grace")
    func parallel() async throws {
        let api = try await APIHarness()
        let first = try await api.member("alice")
        let answers = try await withThrowingTaskGroup(of: WireTokens.self) { tasks in
            for _ in 0..<4 { tasks.addTask { try await api.refresh(first.refreshToken).decoded() } }
            return try await tasks.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(answers.map(\.refreshToken)).count == 1)
        api.clock.advance(by: .seconds(65))
        #expect(try await api.refresh(answers[0].refreshToken).status == 200)
        #expect(api.revocations.announced.isEmpty)
    }

    @Test("A refresh whose answer was lost is tried again after the grace, with the same answer")
    func lostAnswer() async throws {
        let api = try await APIHarness()
        let first = try await api.member("alice")
        let lost: WireTokens = try await api.refresh(first.refreshToken).decoded()
        api.clock.advance(by: .seconds(65))
        let again: WireTokens = try await api.refresh(first.refreshToken).decoded()
        #expect(again.refreshToken == lost.refreshToken)
        // From the retry on the device may stay away as long as from any refresh.
        api.clock.advance(by: .seconds(45 * 24 * 60 * 60 - 1))
        #expect(try await api.refresh(again.refreshToken).status == 200)
        #expect(api.revocations.announced.isEmpty)
    }

    @Test("A refresh token ends after 45 days")
    func refreshExpiry() async throws {
        let api = try await APIHarness()
        let tokens = try await api.member("alice")
        api.clock.advance(by: .seconds(45 * 24 * 60 * 60))
        let late = try await api.refresh(tokens.refreshToken)
        #expect(late.status == 401)
        #expect(late.code == .tokenExpired)
        let other = try await api.login("alice")
        api.clock.advance(by: .seconds(45 * 24 * 60 * 60 - 1))
        #expect(try await api.refresh(other.refreshToken).status == 200)
    }

    @Test(
        "What no refresh token could be is refused",
        arguments: ["x", String(repeating: "A", count: 44), String(repeating: "A", count: 43), "\u{0}", "ä"])
    func malformedRefresh(_ text: String) async throws {
        let answer = try await APIHarness().refresh(text)
        #expect(answer.status == 401)
        #expect(answer.code == .unauthenticated)
    }

    @Test("A refresh without a token says what is missing")
    func missingRefresh() async throws {
        let answer = try await APIHarness().send(.post, "/v1/sessions/refresh", json: "{}")
        #expect(answer.code == .missingField)
        #expect(answer.error?.field == "refresh_token")
    }

    @Test("Logging out ends this device's tokens at once, and no other's")
    func logsOut() async throws {
        let api = try await APIHarness()
        let phone = try await api.member("alice")
        let laptop = try await api.login("alice")
        let answer = try await api.send(.delete, "/v1/sessions/current", token: phone.accessToken)
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
        #expect(api.revocations.announced == [try phone.deviceID])
        #expect(try await api.send(.get, "/v1/users/me", token: phone.accessToken).code == .deviceRevoked)
        #expect(try await api.refresh(phone.refreshToken).code == .deviceRevoked)
        #expect(try await api.send(.get, "/v1/users/me", token: laptop.accessToken).status == 200)
    }

    @Test("Devices are listed, the asking one marked, and revoked by id")
    func devices() async throws {
        let api = try await APIHarness()
        let phone = try await api.member("alice")
        api.clock.advance(by: .seconds(1))
        let laptop = try await api.login("alice")
        let list: WireDeviceList = try await api.send(.get, "/v1/devices", token: laptop.accessToken).decoded()
        #expect(list.devices.map(\.id) == [phone.device, laptop.device])
        #expect(list.devices.map(\.current) == [false, true])
        #expect(list.devices.map(\.name) == ["Phone", "Phone"])
        #expect(list.devices.map(\.platform) == ["test", "test"])
        let path = "/v1/devices/\(phone.device)"
        #expect(try await api.send(.delete, path, token: laptop.accessToken).status == 204)
        #expect(api.revocations.announced == [try phone.deviceID])
        #expect(try await api.send(.delete, path, token: laptop.accessToken).status == 404)
        #expect(try await api.send(.get, "/v1/users/me", token: phone.accessToken).code == .deviceRevoked)
    }

    @Test("Another user's device is as unknown as none")
    func foreignDevice() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let mallory = try await api.member("mallory")
        let foreign = try await api.send(.delete, "/v1/devices/\(alice.device)", token: mallory.accessToken)
        let none = try await api.send(.delete, "/v1/devices/0000000000001", token: mallory.accessToken)
        let nonsense = try await api.send(.delete, "/v1/devices/%00", token: mallory.accessToken)
        #expect(foreign.status == 404)
        #expect(foreign.body == none.body)
        #expect(foreign.body == nonsense.body)
        #expect(api.revocations.announced.isEmpty)
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).status == 200)
    }

    @Test("A revocation counts also where the bus cannot be reached")
    func busIsDown() async throws {
        let api = try await APIHarness(isBusReachable: false)
        let alice = try await api.member("alice")
        #expect(try await api.send(.delete, "/v1/sessions/current", token: alice.accessToken).status == 204)
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).code == .deviceRevoked)
    }

    @Test("A new password needs the old one, works, and logs the other devices out")
    func changesPassword() async throws {
        let api = try await APIHarness()
        let phone = try await api.member("alice")
        let laptop = try await api.login("alice")
        var change = WirePasswordChange()
        change.oldPassword = "wrong horse"
        change.newPassword = "battery staple"
        let wrong = try await api.send(.post, "/v1/users/me/password", change, token: phone.accessToken)
        #expect(wrong.status == 401)
        #expect(wrong.code == .wrongCredentials)
        #expect(wrong.error?.field == "old_password")
        change.oldPassword = APIHarness.password
        #expect(try await api.send(.post, "/v1/users/me/password", change, token: phone.accessToken).status == 204)
        #expect(try await api.send(.get, "/v1/users/me", token: phone.accessToken).status == 200)
        #expect(try await api.send(.get, "/v1/users/me", token: laptop.accessToken).code == .deviceRevoked)
        #expect(api.revocations.announced == [try laptop.deviceID])
        #expect(try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice")).code == .wrongCredentials)
        let login = APIHarness.newLogin("alice", password: "battery staple")
        #expect(try await api.send(.post, "/v1/sessions", login).status == 201)
    }

    @Test("Of two who change the same password at the same time one is told that the old one is wrong")
    func passwordRace() async throws {
        let api = try await APIHarness()
        let devices = [try await api.member("alice"), try await api.login("alice")]
        let answers = try await withThrowingTaskGroup(of: (Int, APIHarness.Answer).self) { tasks in
            for (number, device) in devices.enumerated() {
                var change = WirePasswordChange()
                change.oldPassword = APIHarness.password
                change.newPassword = "battery staple \(number)"
                tasks.addTask { [change] in
                    (
                        number,
                        try await api.send(.post, "/v1/users/me/password", change, token: device.accessToken)
                    )
                }
            }
            return try await tasks.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        let winner = try #require(answers.first { $0.value.status == 204 }?.key)
        // Late enough, the other one is no longer logged in at all.
        #expect([.wrongCredentials, .deviceRevoked].contains(answers[1 - winner]?.code))
        let login = APIHarness.newLogin("alice", password: "battery staple \(winner)")
        #expect(try await api.send(.post, "/v1/sessions", login).status == 201)
    }

    /// Gives alice's password the hash of an older node.
    private func outdateHash(in api: APIHarness) async throws {
        let older = PasswordHasher(
            parameters: Argon2Parameters(memoryKiB: 16, iterations: 2, parallelism: 1), threads: 1, queue: 8)
        let known = try #require(try await api.accounts.credentials(handle: "alice"))
        let outdated = try await older.hash(APIHarness.password)
        try await older.shutdown()
        #expect(try await api.accounts.replacePasswordHash(known.passwordHash, by: outdated, of: known.user.id))
    }

    @Test("Two logins that both find an outdated hash both succeed")
    func loginsWhileHashIsRenewed() async throws {
        let api = try await APIHarness()
        _ = try await api.register("alice")
        try await outdateHash(in: api)
        try await withThrowingTaskGroup(of: WireTokens.self) { tasks in
            for _ in 0..<2 { tasks.addTask { try await api.login("alice") } }
            try await tasks.waitForAll()
        }
    }

    @Test("A login with the old password neither undoes a change of it, nor hinders it, nor outlives it")
    func loginDuringChange() async throws {
        let api = try await APIHarness()
        let phone = try await api.member("alice")
        try await outdateHash(in: api)
        var change = WirePasswordChange()
        change.oldPassword = APIHarness.password
        change.newPassword = "battery staple"
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { _ = try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice")) }
            tasks.addTask { [change] in
                let answer = try await api.send(.post, "/v1/users/me/password", change, token: phone.accessToken)
                #expect(answer.status == 204, "\(answer.text)")
            }
            try await tasks.waitForAll()
        }
        #expect(try await api.accounts.devices(of: try phone.userID).map(\.id) == [try phone.deviceID])
        #expect(try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice")).code == .wrongCredentials)
        let login = APIHarness.newLogin("alice", password: "battery staple")
        #expect(try await api.send(.post, "/v1/sessions", login).status == 201)
    }

    @Test("A new password is one that a new user could take")
    func newPasswordIsValidated() async throws {
        let api = try await APIHarness()
        let tokens = try await api.member("alice.liddell")
        var change = WirePasswordChange()
        change.oldPassword = APIHarness.password
        for bad in ["", "short", "alice.liddell", String(repeating: "x", count: 257)] {
            change.newPassword = bad
            let answer = try await api.send(.post, "/v1/users/me/password", change, token: tokens.accessToken)
            #expect(answer.status == 400)
            #expect(answer.error?.field == "new_password")
        }
        change.newPassword = "battery staple"
        for (bad, status) in [("", 400), (String(repeating: "x", count: 300), 401)] {
            change.oldPassword = bad
            let answer = try await api.send(.post, "/v1/users/me/password", change, token: tokens.accessToken)
            #expect(answer.status == status)
            #expect(answer.error?.field == "old_password")
        }
    }
}
