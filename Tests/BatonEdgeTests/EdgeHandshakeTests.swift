import BatonCore
import BatonEdge
import BatonGateway
import BatonProtocol
import BatonTestKit
import NIOCore
import SwiftProtobuf
import Testing

@Suite struct EdgeHandshakeTests {
    @Test("A right handshake is upgraded, and the relay gets who it is")
    func accepted() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            try await connection.send(EdgeFixture.request())
            let answer = try await connection.head()
            #expect(answer.status == 101)
            // The example of RFC 6455, 1.3.
            #expect(answer["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            #expect(answer["Sec-WebSocket-Protocol"] == "baton.v1.json")
            try await connection.send(ClientFrames.text("hi"))
            #expect(try await connection.frame() == .text("hi"))
            #expect(edge.clients.map(\.principal) == [EdgeFixture.principal])
            #expect(edge.clients.map(\.subprotocol) == [.json])
            #expect(edge.clients.map(\.address) == ["127.0.0.1"])
        }
    }

    @Test("A frame sent together with the handshake is not lost", arguments: ["/v1/ws", "/v1/echo"])
    func together(path: String) async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            try await connection.send(
                Array(EdgeFixture.request(path).utf8) + ClientFrames.text("early") + ClientFrames.text("bird"))
            #expect(try await connection.head().status == 101)
            #expect(try await connection.frame() == .text("early"))
            #expect(try await connection.frame() == .text("bird"))
        }
    }

    @Test("A browser's token in the subprotocol list is taken and never echoed")
    func browserToken() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            let offer = "unknown, baton.token.\(EdgeFixture.goodToken), baton.v1.proto, baton.v1.json"
            try await connection.send(
                EdgeFixture.request("/v1/ws", ["Authorization": nil, "Sec-WebSocket-Protocol": offer]))
            let answer = try await connection.head()
            #expect(answer.status == 101)
            #expect(answer.headers.filter { $0.value.contains("baton.") }.map(\.value) == ["baton.v1.proto"])
            try await connection.send(ClientFrames.text("x"))
            _ = try await connection.frame()
            #expect(edge.clients.map(\.subprotocol) == [.proto])
        }
    }

    @Test("Each refusal is counted under its reason, and what is served is not")
    func counted() async throws {
        try await EdgeFixture.run(admission: .refused(retryAfterMilliseconds: 5)) { edge in
            _ = try await edge.answer(to: EdgeFixture.request())
            _ = try await edge.answer(to: EdgeFixture.request("/v1/ws", ["Authorization": nil]))
            _ = try await edge.answer(to: EdgeFixture.request("/v1/ws", ["Sec-WebSocket-Version": "12"]))
            #expect(edge.refusals == ["overloaded", "unauthenticated", "upgrade_required"])
        }
        try await EdgeFixture.run { edge in
            _ = try await edge.answer(to: EdgeFixture.request("/v1/ws", ["Authorization": "Bearer old"]))
            _ = try await edge.answer(to: "GET /v1/hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(edge.refusals == ["token_expired"])
        }
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var name: String
        var request: String
        var status: Int
        var code: ErrorCode
        var names: String

        init(
            _ name: String, _ status: Int, _ code: ErrorCode, names: String = "", path: String = "/v1/ws",
            line: String? = nil, _ replaced: KeyValuePairs<String, String?> = [:]
        ) {
            self.name = name
            self.status = status
            self.code = code
            self.names = names
            request = EdgeFixture.request(path, replaced, line: line)
        }

        var testDescription: String { name }
    }

    static let wrongs: [Wrong] = [
        Wrong("POST", 405, .methodNotAllowed, names: "GET", line: "POST /v1/ws HTTP/1.1"),
        Wrong("HTTP/1.0", 400, .invalidField, names: "HTTP/1.1", line: "GET /v1/ws HTTP/1.0"),
        Wrong("no Host", 400, .missingField, names: "Host", ["Host": nil]),
        Wrong("an empty Host", 400, .invalidField, names: "Host", ["Host": ""]),
        Wrong("a body", 400, .invalidField, names: "Content-Length", ["Content-Length": "5"]),
        Wrong("a chunked body", 400, .invalidField, names: "Transfer-Encoding", ["Transfer-Encoding": "chunked"]),
        Wrong("no Upgrade", 426, .upgradeRequired, names: "Upgrade", ["Upgrade": nil]),
        Wrong("another Upgrade", 426, .upgradeRequired, names: "Upgrade", ["Upgrade": "h2c"]),
        Wrong("no Connection", 400, .invalidField, names: "Connection", ["Connection": nil]),
        Wrong("another Connection", 400, .invalidField, names: "Connection", ["Connection": "keep-alive"]),
        Wrong("no version", 426, .upgradeRequired, names: "Version", ["Sec-WebSocket-Version": nil]),
        Wrong("version 8", 426, .upgradeRequired, names: "Version", ["Sec-WebSocket-Version": "8"]),
        Wrong("two versions", 426, .upgradeRequired, names: "Version", ["Sec-WebSocket-Version": "13, 8"]),
        Wrong("no key", 400, .missingField, names: "Sec-WebSocket-Key", ["Sec-WebSocket-Key": nil]),
        Wrong(
            "a key of 15 bytes", 400, .invalidField, names: "Sec-WebSocket-Key",
            ["Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAA"]),
        Wrong(
            "a key not in base64", 400, .invalidField, names: "Sec-WebSocket-Key",
            ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ!=="]),
        Wrong(
            "a key with leftover bits", 400, .invalidField, names: "Sec-WebSocket-Key",
            ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZR=="]),
        Wrong(
            "two keys", 400, .invalidField, names: "Sec-WebSocket-Key",
            ["Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
        Wrong("a foreign Origin", 403, .forbidden, names: "Origin", ["Origin": "https://evil.example"]),
        Wrong("the Origin null", 403, .forbidden, names: "Origin", ["Origin": "null"]),
        Wrong("another port's Origin", 403, .forbidden, names: "Origin", ["Origin": "http://relay.example:81"]),
        Wrong("a token in the URL", 400, .invalidField, names: "access_token", path: "/v1/ws?x=1&access_token=abc"),
        Wrong("no subprotocol", 400, .missingField, names: "baton.v1.proto", ["Sec-WebSocket-Protocol": nil]),
        Wrong("unknown subprotocols", 400, .invalidField, names: "baton.v1.json", ["Sec-WebSocket-Protocol": "a, b"]),
        Wrong("a broken subprotocol", 400, .invalidField, names: "Protocol", ["Sec-WebSocket-Protocol": "a b"]),
        Wrong("no token", 401, .unauthenticated, names: "Bearer", ["Authorization": nil]),
        Wrong("another scheme", 401, .unauthenticated, names: "Bearer", ["Authorization": "Basic eDp5"]),
        Wrong("an empty token", 401, .unauthenticated, names: "Bearer", ["Authorization": "Bearer "]),
        Wrong("a wrong token", 401, .unauthenticated, names: "not valid", ["Authorization": "Bearer forged"]),
        Wrong("an old token", 401, .tokenExpired, names: "refresh", ["Authorization": "Bearer old"]),
        Wrong(
            "two tokens", 400, .invalidField, names: "Authorization",
            ["Sec-WebSocket-Protocol": "baton.v1.json, baton.token.x"]),
        Wrong(
            "two Authorizations", 400, .invalidField, names: "Authorization",
            ["Authorization": "Bearer good.token-1\r\nAuthorization: Bearer good.token-1"]),
        Wrong("a head above the limit", 431, .tooLarge, ["X-Padding": String(repeating: "x", count: 17_000)]),
        Wrong("a path above the limit", 431, .tooLarge, path: "/" + String(repeating: "x", count: 40_000)),
        Wrong("too many headers", 431, .tooLarge, ["X-Many": "1" + String(repeating: "\r\nX-Many: 1", count: 100)]),
        Wrong("no HTTP at all", 400, .invalidField, line: "\u{16}\u{3}\u{1}"),
        Wrong("HTTP/2", 400, .invalidField, line: "PRI * HTTP/2.0"),
    ]

    @Test("Each wrong request gets an answer that names what is wrong", arguments: wrongs)
    func wrong(_ wrong: Wrong) async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(to: wrong.request)
            #expect(answer.status == wrong.status)
            #expect(answer["Content-Type"] == "application/json")
            #expect(answer["Content-Length"] == "\(answer.rest.count)")
            let error = try WireErrorResponse(jsonUTF8Bytes: answer.rest).error
            #expect(error.code == wrong.code.rawValue)
            #expect(wrong.names.isEmpty || answer.text.contains(wrong.names), "\(answer.text)")
            #expect(edge.clients.isEmpty)
        }
    }

    @Test("The headers of refusals say what to do")
    func headers() async throws {
        try await EdgeFixture.run { edge in
            let version = try await edge.answer(to: EdgeFixture.request("/v1/ws", ["Sec-WebSocket-Version": "12"]))
            #expect(version["Sec-WebSocket-Version"] == "13")
            let method = try await edge.answer(to: EdgeFixture.request(line: "DELETE /v1/ws HTTP/1.1"))
            #expect(method["Allow"] == "GET")
            let token = try await edge.answer(to: EdgeFixture.request("/v1/ws", ["Authorization": nil]))
            #expect(token["WWW-Authenticate"] == "Bearer")
        }
    }

    @Test("A node that is full says when to come again, before it looks at the token")
    func full() async throws {
        try await EdgeFixture.run(admission: .refused(retryAfterMilliseconds: 1_500)) { edge in
            let answer = try await edge.answer(to: EdgeFixture.request("/v1/ws", ["Authorization": "Bearer forged"]))
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "2")
            let error = try WireErrorResponse(jsonUTF8Bytes: answer.rest).error
            #expect(error.code == "overloaded")
            #expect(error.retryable)
            #expect(error.retryAfterMs == 1_500)
        }
    }

    @Test("Allowed origins, and pages of the host itself, may connect")
    func origins() async throws {
        try await EdgeFixture.run {
            $0.origins = .init(allowed: ["https://chat.example"])
        } _: { edge in
            for origin in ["https://chat.example", "HTTPS://Chat.Example", "https://relay.example:8080"] {
                let connection = try await edge.connect()
                try await connection.send(EdgeFixture.request("/v1/ws", ["Origin": origin]))
                #expect(try await connection.head().status == 101, "\(origin)")
            }
        }
    }

    @Test("A relay that cannot take a connection closes it with 1011")
    func notInstalled() async throws {
        try await EdgeFixture.run(installs: false) { edge in
            let connection = try await edge.connect()
            try await connection.send(EdgeFixture.request())
            #expect(try await connection.head().status == 101)
            #expect(try await connection.frame().closeCode == 1011)
        }
    }

    @Test("Without being asked for, there is no echo endpoint")
    func noEcho() async throws {
        try await EdgeFixture.run(echo: false) { edge in
            let answer = try await edge.answer(to: EdgeFixture.request("/v1/echo"))
            #expect(answer.status == 404)
        }
    }
}
