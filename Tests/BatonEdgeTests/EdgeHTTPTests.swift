import BatonCore
import BatonEdge
import BatonProtocol
import BatonTestKit
import NIOCore
import SwiftProtobuf
import Testing

@Suite struct EdgeHTTPTests {
    @Test("Plain requests share the port, one after another on one connection")
    func plain() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            for _ in 0..<2 {
                try await connection.send("GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")
                let head = try await connection.head()
                #expect(head.status == 200)
                #expect(head["Date"]?.hasSuffix(" GMT") == true)
                let body = try await connection.body(of: head)
                #expect(body == "hello ")
            }
        }
    }

    @Test("A connection of plain requests ends when no further one comes in time")
    func idle() async throws {
        try await EdgeFixture.run {
            $0.idleSeconds = 1
        } _: { edge in
            let connection = try await edge.connect()
            try await connection.send("GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await connection.body(of: connection.head())
            #expect(try await connection.untilEnd() == [])
        }
    }

    @Test("A request that asks for an upgrade it will not get is answered plainly, and is the last")
    func upgradeElsewhere() async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(
                to: "GET /v1/hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
            #expect(answer.status == 200)
            #expect(answer["Connection"] == "close")
            #expect(answer.text == "hello ")
        }
    }

    @Test("A WebSocket cannot begin after other requests, and the answer says so")
    func lateUpgrade() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.connect()
            try await connection.send("GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await connection.body(of: connection.head())
            try await connection.send(EdgeFixture.request())
            let answer = try await connection.lastAnswer()
            #expect(answer.status == 426)
            let error = try WireErrorResponse(jsonUTF8Bytes: answer.rest).error
            #expect(error.code == "upgrade_required")
        }
    }

    @Test("Rate limits count the client of a trusted proxy, and the peer of any other connection")
    func countedAddress() async throws {
        let request =
            "GET /v1/address HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n"
        let proxies = try TrustedProxies(["127.0.0.1"])
        try await EdgeFixture.run { fixture in
            let answer = try await fixture.answer(to: request)
            #expect(answer.text == "127.0.0.1")
        }
        try await EdgeFixture.run {
            $0.trustedProxies = proxies
        } _: { fixture in
            let answer = try await fixture.answer(to: request)
            #expect(answer.text == "198.51.100.7")
        }
    }

    @Test("X-Forwarded-For reaches no route: who the client is was decided before, also for a WebSocket")
    func forwarded() async throws {
        let request = "GET /v1/hello HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n"
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(to: request)
            #expect(answer.text == "hello ")
        }
        let proxies = try TrustedProxies(["127.0.0.1"])
        try await EdgeFixture.run {
            $0.trustedProxies = proxies
        } _: { edge in
            let answer = try await edge.answer(to: request)
            #expect(answer.text == "hello ")
            let connection = try await edge.connect()
            try await connection.send(EdgeFixture.request("/v1/ws", ["X-Forwarded-For": "198.51.100.8"]))
            _ = try await connection.head()
            try await connection.send(ClientFrames.text("x"))
            _ = try await connection.frame()
            #expect(edge.clients.map(\.address) == ["198.51.100.8"])
        }
    }

    @Test("A route that fails is answered by an error of the catalogue")
    func failure() async throws {
        try await EdgeFixture.run { edge in
            let answer = try await edge.answer(to: "GET /v1/fails HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(answer.status == 500)
            let error = try WireErrorResponse(jsonUTF8Bytes: answer.rest).error
            #expect(error.code == "internal_error")
        }
    }

    @Test("Who sends no complete request in time is told so")
    func slow() async throws {
        for sent in ["", "GET /v1/ws HTTP/1.1\r\nHost: x\r\n"] {
            try await EdgeFixture.run {
                $0.handshakeSeconds = 1
            } _: { edge in
                let answer = try await edge.answer(to: sent)
                #expect(answer.status == 408)
            }
        }
    }

    @Test("A stop closes the listener and idle connections, and leaves WebSockets alone")
    func stop() async throws {
        try await EdgeFixture.run { edge in
            let socket = try await edge.echo()
            let idle = try await edge.connect()
            try await idle.send("GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await idle.body(of: idle.head())
            let silent = try await edge.connect()
            await edge.stop()
            #expect(try await idle.untilEnd() == [])
            #expect(try await silent.untilEnd() == [])
            await #expect(throws: (any Error).self) { _ = try await edge.connect() }
            try await socket.send(ClientFrames.text("still here"))
            #expect(try await socket.frame() == .text("still here"))
        }
    }
}

extension RawConnection {
    /// The body that a head announces.
    func body(of head: Answer) async throws -> String {
        let length = Int(head["Content-Length"] ?? "") ?? 0
        return try await wait { buffer, _ in
            buffer.getString(at: buffer.readerIndex, length: length).map { ($0, length) }
        }
    }
}
