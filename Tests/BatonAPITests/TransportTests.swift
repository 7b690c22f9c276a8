import BatonAPI
import BatonCore
import BatonProtocol
import BatonTestKit
import HTTPTypes
import SwiftProtobuf
import Testing

@Suite("What any request gets")
struct TransportTests {
    static let routes: [(HTTPRequest.Method, String)] = [
        (.delete, "/v1/sessions/current"), (.get, "/v1/devices"), (.delete, "/v1/devices/0000000000001"),
        (.get, "/v1/users/me"), (.patch, "/v1/users/me"), (.get, "/v1/users/@alice"),
        (.get, "/v1/users/0000000000001"), (.post, "/v1/users/me/password"), (.put, "/v1/blocks/0000000000001"),
        (.delete, "/v1/blocks/0000000000001"), (.get, "/v1/conversations"),
        (.get, "/v1/conversations/g-0000000000001"), (.get, "/v1/conversations/g-0000000000001/messages"),
        (.post, "/v1/conversations/g-0000000000001/messages"), (.post, "/v1/users/0000000000001/messages"),
    ]

    @Test("Without a token, and with a wrong one, each route that needs one says so", arguments: routes.indices)
    func unauthenticated(_ index: Int) async throws {
        let (method, path) = Self.routes[index]
        let api = try await APIHarness()
        let none = try await api.send(method, path)
        #expect(none.status == 401)
        #expect(none.code == .unauthenticated)
        #expect(none.headers[.wwwAuthenticate] == "Bearer realm=\"baton\"")
        let wrong = try await api.send(method, path, token: "x.y.z")
        #expect(wrong.status == 401)
        #expect(wrong.code == .unauthenticated)
        #expect(wrong.headers[.wwwAuthenticate]?.contains("error=\"invalid_token\"") == true)
        let basic = try await api.send(method, path, headers: [.authorization: "Basic YTpi"])
        #expect(basic.code == .unauthenticated)
    }

    @Test("While the store is away, each route says that it can be tried again", arguments: routes.indices)
    func storeIsAway(_ index: Int) async throws {
        let (method, path) = Self.routes[index]
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        api.accounts.fail(with: .unavailable("secret detail of the disk"))
        api.conversations.fail(with: .unavailable("secret detail of the disk"))
        let body = method == .patch || method == .post ? Array("{\"oldPassword\":\"x\"}".utf8) : nil
        let answer = try await api.send(method, path, body, token: alice.accessToken)
        #expect(answer.status == 503)
        #expect(answer.code == .storeUnavailable)
        #expect(answer.error?.retryable == true)
        #expect(answer.headers[.retryAfter] == "1")
        #expect(!answer.text.contains("secret"))
    }

    @Test("Registration, login and refresh say so too; a full disk has a status of its own")
    func openRoutesWithoutStore() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        api.accounts.fail(with: .diskFull)
        let answers = [
            try await api.send(.post, "/v1/users", APIHarness.newAccount("bob")),
            try await api.send(.post, "/v1/sessions", APIHarness.newLogin("alice")),
            try await api.refresh(alice.refreshToken),
        ]
        for answer in answers {
            #expect(answer.status == 507)
            #expect(answer.code == .storageFull)
            #expect(answer.headers[.retryAfter] == "5")
        }
    }

    @Test("Two Authorization fields are one too many")
    func twoTokens() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        var headers = HTTPFields()
        headers.append(HTTPField(name: .authorization, value: "Bearer \(alice.accessToken)"))
        headers.append(HTTPField(name: .authorization, value: "Bearer \(alice.accessToken)"))
        #expect(try await api.send(.get, "/v1/users/me", headers: headers).code == .unauthenticated)
    }

    @Test(
        "Unknown paths are 404 in the one form",
        arguments: [
            "/", "/v1", "/v2/users", "/v1/user", "/v1/users/me/passwords", "//", "/v1/%", "/v1/users/a/b/c", "", "*",
            "/v1/conversations/x/y", "/../etc/passwd", "/v1/\u{1F600}",
        ])
    func unknownPaths(_ path: String) async throws {
        let answer = try await APIHarness().send(.get, path)
        #expect(answer.status == 404)
        #expect(answer.code == .notFound)
        #expect(answer.headers[.cacheControl] == "no-store")
    }

    @Test(
        "Wrong methods are 405 with those that are right",
        arguments: [
            (.get, "/v1/users", "POST"), (.put, "/v1/sessions", "POST"), (.delete, "/v1/users/me", "GET, HEAD, PATCH"),
            (.post, "/v1/users/me", "GET, HEAD, PATCH"), (.get, "/v1/blocks/x", "PUT, DELETE"),
            (.get, "/v1/devices/x", "DELETE"), (.patch, "/v1/users/x", "GET, HEAD"),
            (.put, "/v1/conversations/x/messages", "GET, HEAD, POST"),
            (.get, "/v1/users/x/messages", "POST"), (.options, "/v1/devices", "GET, HEAD, POST"),
            (HTTPRequest.Method("BREW")!, "/v1/devices", "GET, HEAD, POST"),
        ] as [(HTTPRequest.Method, String, String)])
    func wrongMethods(_ method: HTTPRequest.Method, _ path: String, _ allowed: String) async throws {
        let answer = try await APIHarness().send(method, path)
        #expect(answer.status == 405)
        #expect(answer.code == .methodNotAllowed)
        #expect(answer.headers[.allow] == allowed)
    }

    @Test("What a node reads just after it stood still changes nothing, and can be tried again")
    func stoodStill() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        api.standing.set(isStill: true)
        let requests: [(HTTPRequest.Method, String)] = [
            (.post, "/v1/users"), (.post, "/v1/sessions"), (.post, "/v1/sessions/refresh"), (.post, "/v1/devices"),
            (.delete, "/v1/sessions/current"), (.delete, "/v1/devices/\(alice.device)"), (.patch, "/v1/users/me"),
            (.post, "/v1/users/me/password"), (.put, "/v1/blocks/\(alice.user)"), (.delete, "/v1/blocks/\(alice.user)"),
        ]
        for (method, path) in requests {
            let answer = try await api.send(method, path, json: "{}", token: alice.accessToken)
            #expect(answer.status == 503 && answer.code == .overloaded, "\(method) \(path)")
            #expect(answer.error?.retryable == true && answer.headers[.retryAfter] == "1")
        }
        #expect(try await api.send(.get, "/v1/users/me", token: alice.accessToken).status == 200)
        api.standing.set(isStill: false)
        #expect(try await api.refresh(alice.refreshToken).status == 200)
    }

    @Test("HEAD is GET without the body")
    func head() async throws {
        let api = try await APIHarness()
        let alice = try await api.member("alice")
        let answer = try await api.send(.head, "/v1/users/me", token: alice.accessToken)
        #expect(answer.status == 200)
        #expect(answer.body.isEmpty)
    }

    @Test(
        "A body has to say that it is JSON in UTF-8",
        arguments: [
            ("application/json", true), ("application/json; charset=utf-8", true),
            ("Application/JSON;charset=\"UTF-8\"", true),
            ("text/plain", false), ("application/json; charset=latin1", false), ("application/x-protobuf", false),
            ("", false), (";", false), ("application/jsonx", false), (String(repeating: "a", count: 1_000), false),
        ])
    func contentType(_ type: String, _ isTaken: Bool) async throws {
        let api = try await APIHarness()
        let body: [UInt8] = try APIHarness.newAccount("alice").jsonUTF8Bytes()
        let answer = try await api.send(.post, "/v1/users", body, headers: [.contentType: type])
        #expect(answer.status == (isTaken ? 201 : 400))
        if !isTaken { #expect(answer.code == .wrongEncoding) }
    }

    @Test("A body is taken up to its limit, and not a byte more")
    func bodyLimit() async throws {
        let api = try await APIHarness()
        let json: [UInt8] = try APIHarness.newAccount("alice").jsonUTF8Bytes()
        let limit = Limits.Frame.requestBodyBytes
        let padded = json + [UInt8](repeating: UInt8(ascii: " "), count: limit - json.count)
        let surplus = try await api.send(.post, "/v1/users", padded + [UInt8(ascii: " ")])
        #expect(surplus.status == 413)
        #expect(surplus.code == .tooLarge)
        #expect(try await api.send(.post, "/v1/users", padded).status == 201)
        let declared = try await api.send(
            .post, "/v1/users", json, headers: [.contentLength: "\(limit + 1)", .contentType: "application/json"])
        #expect(declared.code == .tooLarge)
    }

    @Test("Unknown fields are ignored, in both spellings fields are read")
    func unknownFields() async throws {
        let api = try await APIHarness()
        let json = """
            {"handle":"alice","display_name":"Alice","password":"correct horse","fancy":{"a":[1,{"b":null}]}}
            """
        #expect(try await api.send(.post, "/v1/users", json: json).status == 201)
    }

    @Test(
        "What is no JSON of the message is refused, by name",
        arguments: [
            "", " ", "{", "}", "[]", "null", "\"x\"", "1", "{\"handle\":1}", "{\"handle\":{}}", "{\"handle\":\"a\",}",
            "{\"handle\":\"\\ud800\"}", "{\"handle\":\"a\"} x", "\u{FEFF}{}",
            String(repeating: "{\"a\":", count: 2_000), String(repeating: "[", count: 60_000),
        ])
    func malformed(_ json: String) async throws {
        let answer = try await APIHarness().send(.post, "/v1/users", json: json)
        #expect(answer.status == 400)
        #expect(answer.code == .malformedFrame, "\(answer.text)")
        #expect(answer.error?.message.contains("NewAccount") == true)
    }

    @Test("Random and mangled bodies, paths and queries cost an error at most")
    func fuzz() async throws {
        let api = try await APIHarness { settings in
            settings.rateLimits.registrationPerAddress.capacity = 100_000
            settings.rateLimits.lookupPerUser.capacity = 100_000
        }
        let alice = try await api.member("alice")
        var generator = SeededGenerator(seed: 7)
        let valid: [UInt8] = try APIHarness.newAccount("mangled").jsonUTF8Bytes()
        for _ in 0..<1_500 {
            var body = valid
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let index = Int.random(in: 0..<body.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: body[index] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: body.removeSubrange(index...)
                default: body.insert(contentsOf: body[index...], at: index)
                }
                if body.isEmpty { body = [0] }
                if body.count > 4_096 { body = Array(body.prefix(4_096)) }
            }
            let answer = try await api.send(.post, "/v1/users", body)
            #expect([201, 400, 409].contains(answer.status), "\(answer.text)")
            if answer.status != 201 { #expect(answer.code != nil) }
        }
        for _ in 0..<1_500 {
            let count = Int.random(in: 0...24, using: &generator)
            let characters: [Character] = [
                "%", "/", "?", "&", "=", "0", "a", "@", "-", ".", "é", "\u{0}", "#", " ", "+",
            ]
            let noise = String((0..<count).map { _ in characters.randomElement(using: &generator)! })
            for path in ["/v1/users/\(noise)", "/v1/conversations?\(noise)", "/\(noise)"] {
                let answer = try await api.send(.get, path, token: alice.accessToken)
                #expect([200, 400, 404, 405].contains(answer.status), "\(path): \(answer.status)")
            }
        }
    }
}
