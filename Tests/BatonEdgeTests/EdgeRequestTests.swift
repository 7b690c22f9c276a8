import BatonCore
import BatonEdge
import BatonProtocol
import BatonTestKit
import NIOCore
import SwiftProtobuf
import Testing

/// Requests that hops could read differently, on real sockets.
@Suite struct EdgeRequestTests {
    struct Wrong: CustomTestStringConvertible, Sendable {
        var name: String
        var status: Int
        var request: String

        init(_ name: String, _ status: Int, _ line: String, _ fields: String..., body: String = "") {
            self.name = name
            self.status = status
            request = "\(line)\r\n" + fields.map { "\($0)\r\n" }.joined() + "\r\n" + body
        }

        var testDescription: String { name }
    }

    private static let tooLong = "Content-Length: \(Limits.Frame.requestBodyBytes + 1)"
    private static let get = "GET /v1/hello HTTP/1.1"
    private static let post = "POST /v1/body HTTP/1.1"
    private static let chunks = "2\r\n{}\r\n0\r\n\r\n"

    static let wrongs: [Wrong] = [
        Wrong("no host", 400, get), Wrong("two hosts", 400, get, "Host: x", "Host: y"),
        Wrong("the same host twice", 400, get, "Host: x", "Host: x"), Wrong("an empty host", 400, get, "Host:"),
        Wrong("a host that is a list", 400, get, "Host: x, y"),
        Wrong("two hosts of an old client", 400, "GET /v1/hello HTTP/1.0", "Host: x", "Host: y"),
        Wrong("the metrics behind a star", 400, "GET *://z/metrics HTTP/1.1", "Host: x"),
        Wrong("another scheme", 400, "GET x://z/admin HTTP/1.1", "Host: x"),
        Wrong("the star alone", 400, "OPTIONS * HTTP/1.1", "Host: x"),
        Wrong("an authority", 400, "CONNECT z:80 HTTP/1.1", "Host: x"),
        Wrong("a relative path", 400, "GET v1/hello HTTP/1.1", "Host: x"),
        Wrong("a path that is not ASCII", 400, "GET /\u{301}://z/v1/hello HTTP/1.1", "Host: x"),
        Wrong("a fragment", 400, "GET /v1/hello#a HTTP/1.1", "Host: x"),
        Wrong("a user in the target", 400, "GET http://u:p@z/v1/hello HTTP/1.1", "Host: z"),
        Wrong("a target without a host", 400, "GET http:///v1/hello HTTP/1.1", "Host: z"),
        Wrong("a URL without Host", 400, "GET http://z/v1/hello HTTP/1.1"),
        Wrong("gzip below the chunks", 501, post, "Host: x", "Transfer-Encoding: gzip, chunked", body: chunks),
        Wrong("gzip", 501, post, "Host: x", "Transfer-Encoding: gzip"),
        Wrong("identity", 501, post, "Host: x", "Transfer-Encoding: identity"),
        Wrong("chunks that are none", 501, post, "Host: x", "Transfer-Encoding: xchunked", body: chunks),
        Wrong("chunks with a parameter", 501, post, "Host: x", "Transfer-Encoding: chunked;q=1", body: chunks),
        Wrong("a coding that is not ASCII", 501, post, "Host: x", "Transfer-Encoding: chunked\u{301}", body: chunks),
        Wrong("two hosts, one of them not ASCII", 400, get, "Host: x", "Host: \u{301}"),
        Wrong("gzip above the chunks", 400, post, "Host: x", "Transfer-Encoding: chunked, gzip", body: chunks),
        Wrong("chunks in chunks", 400, post, "Host: x", "Transfer-Encoding: chunked, chunked", body: chunks),
        Wrong(
            "chunks twice", 400, post, "Host: x", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked",
            body: chunks),
        Wrong("chunks of an old client", 400, "POST /v1/body HTTP/1.0", "Transfer-Encoding: chunked", body: chunks),
        Wrong(
            "a length, then chunks", 400, post, "Host: x", "Content-Length: 2", "Transfer-Encoding: chunked",
            body: chunks),
        Wrong(
            "chunks, then a length", 400, post, "Host: x", "Transfer-Encoding: chunked", "Content-Length: 2",
            body: chunks),
        Wrong("two lengths", 400, post, "Host: x", "Content-Length: 2", "Content-Length: 3", body: "{} "),
        Wrong("the same length twice", 400, post, "Host: x", "Content-Length: 2", "Content-Length: 2", body: "{}"),
        Wrong("a list of lengths", 400, post, "Host: x", "Content-Length: 2, 2", body: "{}"),
        Wrong("a length with a sign", 400, post, "Host: x", "Content-Length: +2", body: "{}"),
        Wrong("a hexadecimal length", 400, post, "Host: x", "Content-Length: 0x2", body: "{}"),
        Wrong("a length beyond all numbers", 400, post, "Host: x", "Content-Length: 99999999999999999999999"),
        Wrong("a body that is too large", 413, post, "Host: x", tooLong),
        Wrong("a body that is too large and nobody's", 413, get, "Host: x", tooLong),
        Wrong("no number for a length", 400, post, "Host: x", "Content-Length:"),
        Wrong("a folded line", 400, get, "Host: x", "X-A: b", " c"),
        Wrong("chunks in a folded line", 400, post, "Host: x", "Transfer-Encoding:", " chunked", body: chunks),
        Wrong("a blank before the colon", 400, get, "Host : x"),
        Wrong("a blank before the first field", 400, get, " Host: x"),
        Wrong("a field without a name", 400, get, "Host: x", ": a"),
        Wrong("a field without a colon", 400, get, "Host: x", "abc"),
        Wrong("a zero byte", 400, get, "Host: x", "X: a\0b"),
        Wrong("a carriage return alone", 400, get, "Host: x\rX: y"),
        Wrong("line feeds alone", 400, "GET /v1/hello HTTP/1.1\nHost: x\n\n"),
        Wrong("a line feed alone", 400, get, "Host: x\nX: y"),
        Wrong("no version", 400, "GET /v1/hello"), Wrong("HTTP/1.2", 400, "GET /v1/hello HTTP/1.2", "Host: x"),
        Wrong("a small method", 400, "get /v1/hello HTTP/1.1", "Host: x"),
        Wrong("an expectation", 417, post, "Host: x", "Expect: 200-ok", "Content-Length: 2", body: "{}"),
    ]

    @Test("Each gets its status and an error of the catalogue, and ends the connection", arguments: wrongs)
    func wrong(_ wrong: Wrong) async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(to: wrong.request)
            #expect(answer.status == wrong.status)
            #expect(answer["Connection"] == "close")
            let error = try WireErrorResponse(jsonUTF8Bytes: answer.rest).error
            #expect(ErrorCode(rawValue: error.code) != nil && !error.message.isEmpty, "\(answer.text)")
            #expect(edge.refusals == [error.code])
        }
    }

    @Test(
        "Chunks that are not as they must be end their request, however much of it was right",
        arguments: ["0x2\r\n{}\r\n0\r\n\r\n", "fffffffffffffffff\r\n", "2\n{}\n0\n\n", "2;\n{}\r\n0\r\n\r\n", "-1\r\n"])
    func chunks(_ body: String) async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(
                to: "\(Self.post)\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\(body)")
            #expect(answer.status == 400)
            #expect(try WireErrorResponse(jsonUTF8Bytes: answer.rest).error.code == "invalid_field")
        }
    }

    @Test("Right ones are served: chunks, a URL as the target, an old client")
    func right() async throws {
        try await EdgeFixture.run { edge in
            for coding in ["chunked", "CHUNKED"] {
                let fields = "Host: x\r\nTransfer-Encoding: \(coding)\r\nConnection: close\r\n"
                let chunked = try await edge.answer(to: "\(Self.post)\r\n\(fields)\r\n\(Self.chunks)")
                #expect(chunked.status == 200 && chunked.text == "{}", "\(coding)")
            }
            let url = try await edge.answer(
                to: "GET http://z:80/v1/seen?a=b HTTP/1.1\r\nHost: other\r\nConnection: foo, Close\r\n\r\n")
            #expect(url.text == "/v1/seen?a=b z:80 false")
            let old = try await edge.answer(to: "GET /v1/seen HTTP/1.0\r\n\r\n")
            #expect(old.status == 200 && old["Connection"] == "close")
            let socket = try await edge.connect()
            try await socket.send(EdgeFixture.request(line: "GET http://relay.example:8080/v1/ws HTTP/1.1"))
            #expect(try await socket.head().status == 101)
        }
    }

    @Test("A client that expects it is told to go on, and not where its body is too large anyway")
    func expectation() async throws {
        try await EdgeFixture.run { edge in
            let head = "\(Self.post)\r\nHost: x\r\nExpect: 100-continue\r\n"
            let connection = try await edge.connect()
            for _ in 0..<2 {
                try await connection.send("\(head)Content-Length: 2\r\n\r\n")
                let interim = try await connection.head()
                #expect(interim.status == 100 && interim.headers.isEmpty)
                try await connection.send("ab")
                let answer = try await connection.head()
                #expect(answer.status == 200)
                #expect(try await connection.body(of: answer) == "ab")
            }
            let large = try await edge.answer(to: "\(head)Content-Length: \(Limits.Frame.requestBodyBytes + 1)\r\n\r\n")
            #expect(large.status == 413 && large["Connection"] == "close")
            let none = try await edge.answer(
                to: "GET /v1/hello HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
            #expect(none.status == 200)
            let old = try await edge.answer(to: "GET /v1/hello HTTP/1.0\r\nExpect: 100-continue\r\n\r\n")
            #expect(old.status == 200)
        }
    }

    @Test("Requests sent ahead are answered one after the other, an error in its turn, and nothing behind it")
    func ahead() async throws {
        try await EdgeFixture.run { edge in
            let good = "GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n"
            for wrong in [
                "GET /v1/hello HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}\r\n", "GET *://z/ HTTP/1.1\r\nHost: x\r\n\r\n",
            ] {
                let connection = try await edge.connect()
                try await connection.send(good + good + good + wrong + good)
                for _ in 0..<3 {
                    let answer = try await connection.head()
                    #expect(answer.status == 200)
                    #expect(try await connection.body(of: answer) == "hello ")
                }
                let answer = try await connection.lastAnswer()
                #expect(answer.status == 400)
                #expect(try WireErrorResponse(jsonUTF8Bytes: answer.rest).error.code != "")
            }
        }
    }

    @Test("A client that closes its direction behind its requests gets all its answers")
    func halfClosed() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            let good = "GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n"
            try await connection.send(good + good)
            try await connection.finish()
            for _ in 0..<2 {
                let answer = try await connection.head()
                #expect(try await connection.body(of: answer) == "hello ")
            }
            #expect(try await connection.untilEnd() == [])
        }
    }

    @Test("An answer that comes before the whole request leaves the connection as it was, where the rest is short")
    func early() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            try await connection.send("GET /v1/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
            #expect(try await connection.body(of: connection.head()) == "hello ")
            try await connection.send("cdGET /v1/hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            #expect(try await connection.body(of: connection.head()) == "hello ")
            let chunk = "4000\r\n" + String(repeating: "x", count: 0x4000) + "\r\n"
            for _ in 0...(Limits.Frame.requestBodyBytes / 0x4000) { try await connection.send(chunk) }
            #expect(try await connection.untilEnd() == [])
        }
    }

    @Test("Through a trusted proxy a request is one from outside")
    func outside() async throws {
        let proxies = try TrustedProxies(["127.0.0.1"])
        let fields = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        for (trusted, forwarded, isProxied) in [
            (proxies, "X-Forwarded-For: 1.2.3.4\r\n", true), (proxies, "X-Forwarded-For: nonsense\r\n", true),
            // As a proxy leaves it that appends to what the client wrote.
            (proxies, "X-Forwarded-For: \u{e9}, 1.2.3.4\r\n", true), (proxies, "X-Forwarded-For: \u{e9}\r\n", true),
            (proxies, "", false), (TrustedProxies(), "X-Forwarded-For: 1.2.3.4\r\n", false),
        ] {
            try await EdgeFixture.run {
                $0.trustedProxies = trusted
            } _: { edge in
                let answer = try await edge.answer(to: "GET /v1/seen \(fields)\(forwarded)\r\n")
                #expect(answer.text == "/v1/seen x \(isProxied)", "\(forwarded)")
            }
        }
    }
}
