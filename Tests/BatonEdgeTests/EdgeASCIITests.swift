import BatonTestKit
import NIOHTTP1
import Testing

@testable import BatonEdge

@Suite("Heads of requests that are not ASCII")
struct EdgeASCIITests {
    /// Combining marks: to compare one such text with another costs the square of its length.
    private static let marks = String(repeating: "\u{301}\u{316}", count: 3_000)

    @Test("Fields that are not ASCII are left out, and only they")
    func keepsASCII() {
        var headers: HTTPHeaders = [
            "Host": "x", "Authorization": "Bearer \(Self.marks)", "Accept": "*/*", "X-Name": "é",
        ]
        headers.keepASCII()
        #expect(headers == ["Host": "x", "Accept": "*/*"])
    }

    @Test(
        "No field of a handshake is read that is not ASCII",
        arguments: [
            "Authorization", "Upgrade", "Connection", "Sec-WebSocket-Protocol", "Sec-WebSocket-Version", "Host",
        ])
    func handshake(_ name: String) async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(to: EdgeFixture.request("/v1/ws", [name: Self.marks]))
            let without = try await edge.answer(to: EdgeFixture.request("/v1/ws", [name: nil]))
            #expect(answer.status == without.status && answer.text == without.text)
        }
    }

    @Test("The router sees no such field, in the first request of a connection and in later ones")
    func router() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            for _ in 0..<2 {
                try await connection.send("GET /v1/name HTTP/1.1\r\nHost: x\r\nX-Name: \(Self.marks)\r\n\r\n")
                #expect(try await connection.body(of: connection.head()) == "none")
            }
        }
    }

    @Test("A target that is not ASCII is no request")
    func target() async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(to: "GET /v1/\(Self.marks) HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer.status == 400)
        }
    }
}
