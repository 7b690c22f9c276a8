import BatonCore
import BatonEdge
import BatonProtocol
import BatonTestKit
import Logging
import NIOCore
import SwiftProtobuf
import Synchronization
import Testing

/// Deadlines and bounds of connections, on real sockets.
@Suite(.timeLimit(.minutes(1))) struct EdgeBoundsTests {
    private static let hello = "GET /v1/hello HTTP/1.1\r\nHost: x\r\n\r\n"
    private static let health = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    /// A request that is at work as soon as it is told to go on: its body is not there.
    private static let busy = "POST /v1/body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

    /// A connection whose request is at work.
    private func busy(_ edge: EdgeFixture, _ request: String = Self.busy) async throws -> RawConnection {
        let connection = try await edge.connect()
        try await connection.send(request)
        #expect(try await connection.head().status == 100)
        return connection
    }

    // MARK: Deadlines

    @Test("Whose body is not complete in time is told so")
    func drippingBody() async throws {
        try await EdgeFixture.run {
            $0.requestSeconds = 1
        } _: { edge in
            for body in ["Content-Length: 60000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"] {
                let connection = try await edge.connect()
                try await connection.send("POST /v1/body HTTP/1.1\r\nHost: x\r\n\(body)")
                let answer = try await connection.lastAnswer()
                #expect(answer.status == 408)
            }
            #expect(edge.refusals == ["request_timeout", "request_timeout"])
        }
    }

    @Test("The head of a later request has the time in which the connection may idle")
    func drippingHead() async throws {
        try await EdgeFixture.run {
            $0.idleSeconds = 1
        } _: { edge in
            let connection = try await edge.connect()
            try await connection.send(Self.hello)
            _ = try await connection.body(of: connection.head())
            try await connection.send("GET /v1/hello HTTP/1.1\r\nHo")
            #expect(try await connection.untilEnd() == [])
        }
    }

    @Test("Who asks and does not read costs one answer, however much is asked for, and is closed")
    func unread() async throws {
        try await EdgeFixture.run {
            $0.answerSeconds = 1
            $0.answerBytesPerSecond = 1 << 40
        } _: { edge in
            let connection = try await edge.connect(readsNothing: true)
            let large = "GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n"
            try await connection.send(String(repeating: large, count: 50))
            await edge.untilAbandoned()
            #expect(edge.largeAnswers == 1)
        }
    }

    @Test("A large answer is given whole")
    func slowReader() async throws {
        try await EdgeFixture.run {
            // 32 MiB in 16 s.
            $0.answerSeconds = 1
            $0.answerBytesPerSecond = 2 << 20
        } _: { edge in
            let connection = try await edge.connect()
            try await connection.send("GET /v1/large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try await connection.lastAnswer()
            #expect(answer.rest.count == EdgeFixture.largeBytes)
        }
    }

    // MARK: Bounds

    @Test("At the bound of an address one more is told to wait, and one that waits gives way")
    func address() async throws {
        try await EdgeFixture.run {
            $0.bounds.plainPerAddress = 2
        } _: { edge in
            let first = try await busy(edge)
            let second = try await edge.connect()
            try await second.send(Self.hello)
            _ = try await second.body(of: second.head())
            // It waits, and gives way.
            let third = try await busy(edge)
            #expect(try await second.untilEnd() == [])
            let fourth = try await edge.answer(to: Self.hello)
            #expect(fourth.status == 429 && fourth["Retry-After"] == "1")
            #expect(try WireErrorResponse(jsonUTF8Bytes: fourth.rest).error.code == "rate_limited")
            #expect(edge.bounds == [.plainPerAddress, .plainPerAddress])
            // Those at work are not disturbed.
            for connection in [first, third] {
                try await connection.send("hello")
                #expect(try await connection.body(of: connection.head()) == "hello")
            }
        }
    }

    @Test("At the bound of all, health and WebSockets are let in, and everything else is told to wait")
    func all() async throws {
        try await EdgeFixture.run {
            $0.bounds.plain = 2
        } _: { edge in
            for _ in 0..<2 { _ = try await busy(edge) }
            let refused = try await edge.answer(to: Self.hello)
            #expect(refused.status == 503 && refused["Retry-After"] == "1")
            let health = try await edge.connect()
            try await health.send(Self.health)
            #expect(try await health.body(of: health.head()) == "live")
            let socket = try await edge.connect()
            try await socket.send(EdgeFixture.request())
            #expect(try await socket.head().status == 101)
            #expect(edge.bounds == [.plain])
        }
    }

    @Test("Connections that say nothing keep nobody out")
    func silent() async throws {
        try await EdgeFixture.run {
            $0.bounds.plain = 2
            $0.bounds.reserve = 1
        } _: { edge in
            var silent: [RawConnection] = []
            for count in 1...3 {
                silent.append(try await edge.connect())
                while edge.plain.plainCount < count { await Task.yield() }
            }
            let asks = try await edge.connect()
            try await asks.send(Self.hello)
            #expect(try await asks.body(of: asks.head()) == "hello ")
            #expect(try await silent[0].untilEnd() == [])
            #expect(edge.bounds == [.plain])
        }
    }

    @Test("An address has so many WebSockets, and behind a proxy each address for itself")
    func sockets() async throws {
        let proxies = try TrustedProxies(["127.0.0.1"])
        try await EdgeFixture.run {
            $0.trustedProxies = proxies
            $0.bounds.socketsPerAddress = 1
        } _: { edge in
            func open(_ address: String) async throws -> RawConnection {
                let connection = try await edge.connect()
                try await connection.send(EdgeFixture.request("/v1/ws", ["X-Forwarded-For": address]))
                return connection
            }
            let first = try await open("192.0.2.1")
            #expect(try await first.head().status == 101)
            let second = try await open("192.0.2.1").lastAnswer()
            #expect(second.status == 429)
            #expect(try await open("192.0.2.2").head().status == 101)
            let network = try await open("2001:db8::1")
            #expect(try await network.head().status == 101)
            #expect(try await open("2001:db8::2").lastAnswer().status == 429)
            #expect(edge.bounds == [.socketsPerAddress, .socketsPerAddress])
            // With the first one's end there is room again.
            try await first.send(ClientFrames.close(1000))
            _ = try await first.untilEnd()
            #expect(try await open("192.0.2.1").head().status == 101)
        }
    }

    @Test("A proxy's connections count for those who ask through them")
    func proxied() async throws {
        let proxies = try TrustedProxies(["127.0.0.1"])
        try await EdgeFixture.run {
            $0.trustedProxies = proxies
            $0.bounds.plainPerAddress = 1
            $0.bounds.reservePerAddress = 0
        } _: { edge in
            func request(_ address: String) -> String {
                Self.busy.replacing("Host: x", with: "Host: x\r\nX-Forwarded-For: \(address)")
            }
            var connections: [RawConnection] = []
            for address in ["192.0.2.1", "192.0.2.2", "192.0.2.3"] {
                connections.append(try await busy(edge, request(address)))
            }
            #expect(try await edge.answer(to: request("192.0.2.2")).status == 429)
            for connection in connections {
                try await connection.send("hello")
                #expect(try await connection.body(of: connection.head()) == "hello")
            }
        }
    }

    @Test("Of a bound that is met many times the log has one line")
    func log() async throws {
        let log = RecordedLog(logLevel: .info)
        let logger = Logger(label: "edge") { _ in log }
        try await EdgeFixture.run(logger: logger) {
            $0.bounds.plainPerAddress = 1
        } _: { edge in
            _ = try await busy(edge)
            for _ in 0..<20 { #expect(try await edge.answer(to: Self.hello).status == 429) }
            #expect(edge.bounds.count >= 20)
            #expect(log.lines.count { $0.hasPrefix("a bound of connections is met") } == 1)
        }
    }
}
