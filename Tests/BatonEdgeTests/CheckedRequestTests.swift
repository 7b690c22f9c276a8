import BatonCore
import BatonEdge
import BatonGateway
import BatonProtocol
import NIOHTTP1
import Testing

@Suite("What a request must be before anybody looks into it")
struct CheckedRequestTests {
    private func head(
        _ uri: String, _ version: HTTPVersion = .http1_1, _ fields: [(String, String)] = [("Host", "h")]
    ) -> HTTPRequestHead {
        HTTPRequestHead(version: version, method: .GET, uri: uri, headers: HTTPHeaders(fields))
    }

    @Test(
        "A target is a path, or a URL of http whose path and host are taken",
        arguments: [
            ("/v1/ws?a=b", "/v1/ws?a=b", "h"), ("/", "/", "h"), ("//metrics", "//metrics", "h"),
            ("http://z/v1/x?y=http://w/", "/v1/x?y=http://w/", "z"), ("HTTPS://Z:443/a", "/a", "Z:443"),
            ("http://z", "/", "z"), ("http://z?q", "/?q", "z"), ("http://[::1]:8080/a", "/a", "[::1]:8080"),
        ])
    func targets(_ uri: String, _ path: String, _ host: String) throws {
        let checked = try CheckedRequest(head(uri))
        #expect(checked.head.uri == path)
        #expect(checked.head.headers["Host"] == [host])
    }

    @Test(
        "Any other target is refused",
        arguments: [
            "", "*", "*://z/metrics", "x://z/admin", "v1/ws", "z:80", "http:/z/admin", "http:///admin", "http://",
            "http://u@z/admin", "http://u:p@z/", "http://z:x/", "ftp://z/", "httpx://z/", "/a#b", "/a b", "/é",
            "/\u{301}://z/admin", "/\u{7F}", "\\\\z\\admin", "http://z z/", "http://[::1/",
        ])
    func wrongTargets(_ uri: String) {
        let error = #expect(throws: HandshakeRefusal.self) { try CheckedRequest(head(uri)) }
        #expect(error?.status == .badRequest && error?.error.field == "target", "\(uri)")
    }

    @Test(
        "A request names its host once",
        arguments: [
            [], [""], ["a", "a"], ["a", "b"], ["a b"], ["a,b"], ["a/b"], ["u@a"], ["a:b"], ["[::1"], ["[]"], ["[g]"],
            [":80"], ["a:80:80"], ["http://a"],
        ])
    func wrongHosts(_ hosts: [String]) {
        let error = #expect(throws: HandshakeRefusal.self) {
            try CheckedRequest(head("/", .http1_1, hosts.map { ("host", $0) }))
        }
        #expect(error?.status == .badRequest && error?.error.field == "Host", "\(hosts)")
    }

    @Test("Hosts with and without ports, names and addresses, are taken; HTTP/1.0 needs none", arguments: rightHosts)
    func hosts(_ host: String) throws {
        _ = try CheckedRequest(head("/", .http1_1, [("Host", host)]))
        _ = try CheckedRequest(head("/", .http1_0, []))
        #expect(throws: HandshakeRefusal.self) {
            try CheckedRequest(head("/", .http1_0, [("Host", host), ("Host", host)]))
        }
    }

    private static let rightHosts = [
        "relay.example", "localhost:8080", "10.0.0.1", "a_b-c~d:", "[::1]", "[2001:DB8::1]:443",
    ]

    @Test(
        "Chunks are the only transfer coding",
        arguments: [
            (["gzip, chunked"], HTTPResponseStatus.notImplemented), (["gzip"], .notImplemented),
            (["identity"], .notImplemented), (["chunked, chunked"], .notImplemented),
            (["chunked", "chunked"], .notImplemented), (["xchunked"], .notImplemented), ([""], .notImplemented),
            (["chunked;q=1"], .notImplemented), (["chunked"], nil), (["Chunked"], nil),
        ] as [([String], HTTPResponseStatus?)])
    func codings(_ codings: [String], _ status: HTTPResponseStatus?) {
        let fields = [("Host", "h")] + codings.map { ("Transfer-Encoding", $0) }
        if let status {
            let error = #expect(throws: HandshakeRefusal.self) { try CheckedRequest(head("/", .http1_1, fields)) }
            #expect(error?.status == status && error?.error.field == "Transfer-Encoding", "\(codings)")
        } else {
            #expect(throws: Never.self) { try CheckedRequest(head("/", .http1_1, fields)) }
        }
        let old = #expect(throws: HandshakeRefusal.self) { try CheckedRequest(head("/", .http1_0, fields)) }
        #expect(old?.status == .badRequest)
    }

    @Test("A body may be as large as it may be, and not one byte more")
    func length() throws {
        func fields(_ length: String) -> [(String, String)] { [("Host", "h"), ("Content-Length", length)] }
        _ = try CheckedRequest(head("/", .http1_1, fields("\(Limits.Frame.requestBodyBytes)")))
        for length in ["\(Limits.Frame.requestBodyBytes + 1)", "18446744073709551615"] {
            let error = #expect(throws: HandshakeRefusal.self) {
                try CheckedRequest(head("/", .http1_1, fields(length)))
            }
            #expect(error?.status == .payloadTooLarge, "\(length)")
        }
    }

    @Test("Nothing but 100-continue can be expected, and nothing of an old client")
    func expectations() throws {
        func fields(_ values: String...) -> [(String, String)] { [("Host", "h")] + values.map { ("Expect", $0) } }
        let body = ("Content-Length", "1")
        #expect(try CheckedRequest(head("/", .http1_1, fields("100-Continue") + [body])).expectsContinue)
        #expect(try !CheckedRequest(head("/", .http1_1, fields("100-Continue"))).expectsContinue)
        #expect(try !CheckedRequest(head("/")).expectsContinue)
        for wrong in [fields("200-ok"), fields(""), fields("100-continue", "x"), fields("100-continue, x")] {
            let error = #expect(throws: HandshakeRefusal.self) { try CheckedRequest(head("/", .http1_1, wrong)) }
            #expect(error?.status == .expectationFailed && error?.error.field == "Expect")
            #expect(try !CheckedRequest(head("/", .http1_0, wrong)).expectsContinue)
        }
    }
}
