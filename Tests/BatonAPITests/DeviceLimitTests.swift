import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import Testing

@Suite("When a user has as many devices as there may be")
struct DeviceLimitTests {
    /// Alice with 16 devices, each a second after the one before; none is connected.
    private static func filled() async throws -> (api: APIHarness, devices: [WireTokens]) {
        let api = try await APIHarness()
        var devices = [try await api.member("alice")]
        for _ in 1..<Limits.Account.devicesPerUser {
            api.clock.advance(by: .seconds(1))
            devices.append(try await api.login("alice"))
        }
        return (api, devices)
    }

    private static func login(_ api: APIHarness) async throws -> APIHarness.Answer {
        try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice"))
    }

    @Test(
        "Sixteen lost logins lock nobody out: the seventeenth takes the place of the longest unused, which is told so")
    func lostLogins() async throws {
        let (api, devices) = try await Self.filled()
        let answer = try await Self.login(api)
        #expect(answer.status == 201, "\(answer.text)")
        let new: WireTokens = try answer.decoded()
        #expect(api.revocations.announced == [try devices[0].deviceID])
        #expect(try await api.send(.get, "/v1/users/me", token: new.accessToken).status == 200)
        for answer in [
            try await api.refresh(devices[0].refreshToken),
            try await api.send(.get, "/v1/users/me", token: devices[0].accessToken),
        ] {
            #expect(answer.status == 401 && answer.code == .deviceReplaced)
            #expect(answer.error?.message.contains("new login") == true)
            #expect(answer.headers[.wwwAuthenticate]?.contains("invalid_token") == true)
        }
        for device in devices.dropFirst() {
            #expect(try await api.send(.get, "/v1/users/me", token: device.accessToken).status == 200)
        }
    }

    @Test("Who is connected stays, also where it was unused for the longest; where all are, the login is refused")
    func connected() async throws {
        let (api, devices) = try await Self.filled()
        api.sessions.set([try devices[0].deviceID])
        #expect(try await Self.login(api).status == 201)
        #expect(api.revocations.announced == [try devices[1].deviceID])
        api.sessions.set(Set(try await api.accounts.devices(of: try devices[0].userID).map(\.id)))
        let refused = try await Self.login(api)
        #expect(refused.status == 409 && refused.code == .tooManyDevices)
        #expect(refused.error?.message.contains("POST /v1/devices") == true)
        #expect(try await api.send(.delete, "/v1/sessions/current", token: devices[0].accessToken).status == 204)
        #expect(try await Self.login(api).status == 201)
    }

    @Test("While it cannot be learned who is connected, nobody is logged out on a guess")
    func registryIsAway() async throws {
        let (api, devices) = try await Self.filled()
        api.sessions.set(nil)
        #expect(try await Self.login(api).code == .tooManyDevices)
        for device in devices {
            #expect(try await api.send(.get, "/v1/users/me", token: device.accessToken).status == 200)
        }
        #expect(api.revocations.announced.isEmpty)
    }

    @Test("With the password devices are listed and removed, by who has none left to do so")
    func byPassword() async throws {
        let (api, devices) = try await Self.filled()
        api.sessions.set(nil)
        let mallory = try await api.member("mallory")
        var request = WireDevicesRequest()
        request.handle = "ALICE"
        request.password = APIHarness.password
        let list: WireDeviceList = try await api.send(.post, "/v1/devices", request).decoded()
        #expect(list.devices.map(\.id) == devices.map(\.device))
        #expect(list.devices.allSatisfy { !$0.current })

        request.remove = [devices[3].device, devices[5].device, mallory.device, "0000000000001"]
        for _ in 0..<2 {
            let left: WireDeviceList = try await api.send(.post, "/v1/devices", request).decoded()
            let gone = [devices[3].device, devices[5].device]
            #expect(left.devices.map(\.id) == devices.map(\.device).filter { !gone.contains($0) })
        }
        #expect(api.revocations.announced == [try devices[3].deviceID, try devices[5].deviceID])
        #expect(try await api.refresh(devices[3].refreshToken).code == .deviceRevoked)
        #expect(try await api.send(.get, "/v1/users/me", token: mallory.accessToken).status == 200)
        #expect(try await Self.login(api).status == 201)
    }

    @Test("Without the password nothing is listed or removed, and guessing counts as logging in")
    func wrongPassword() async throws {
        let api = try await APIHarness { $0.rateLimits.loginPerAccount.capacity = 3 }
        let alice = try await api.member("alice")
        var request = WireDevicesRequest()
        request.password = "wrong horse"
        request.remove = [alice.device]
        for handle in ["alice", "nobody"] {
            request.handle = handle
            #expect(try await api.send(.post, "/v1/devices", request).code == .wrongCredentials)
        }
        request.handle = "alice"
        for _ in 0..<2 { #expect(try await api.send(.post, "/v1/devices", request).code == .wrongCredentials) }
        #expect(try await api.send(.post, "/v1/devices", request).code == .rateLimited)
        #expect(try await Self.login(api).code == .rateLimited)
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).status == 200)
    }

    @Test("What is no id, and more ids than devices that there may be, are refused before the password is looked at")
    func wrongIDs() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        var request = WireDevicesRequest()
        request.handle = "alice"
        request.password = APIHarness.password
        request.remove = Array(repeating: alice.device, count: Limits.Account.devicesKept + 1)
        let many = try await api.send(.post, "/v1/devices", request)
        #expect(many.code == .invalidField && many.error?.field == "remove")
        request.remove = ["nonsense"]
        #expect(try await api.send(.post, "/v1/devices", request).code == .invalidField)
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).status == 200)
        request.remove = Array(repeating: alice.device, count: Limits.Account.devicesKept)
        #expect(try await api.send(.post, "/v1/devices", request).status == 200)
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).code == .deviceRevoked)
    }

    @Test("A revoked device is told why when it refreshes, and when it asks for anything")
    func reasons() async throws {
        let api = try await APIHarness()
        let phone = try await api.member("alice")
        let laptop = try await api.login("alice")
        var change = WirePasswordChange()
        change.oldPassword = APIHarness.password
        change.newPassword = "battery staple"
        #expect(try await api.send(.post, "/v1/users/me/password", change, token: phone.accessToken).status == 204)
        for answer in [
            try await api.refresh(laptop.refreshToken),
            try await api.send(.get, "/v1/users/me", token: laptop.accessToken),
        ] {
            #expect(answer.code == .deviceRevoked && answer.error?.message.contains("password was changed") == true)
        }
        #expect(try await api.send(.delete, "/v1/sessions/current", token: phone.accessToken).status == 204)
        let loggedOut = try await api.refresh(phone.refreshToken)
        #expect(loggedOut.code == .deviceRevoked && loggedOut.error?.message.contains("was logged out;") == true)
    }
}
