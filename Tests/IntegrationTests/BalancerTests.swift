import BatonBench
import BatonChaos
import BatonClient
import BatonHistory
import BatonTestKit
import Foundation
import NIOCore
import Testing

/// A real node behind a real HAProxy, as `ops/up` sets them up.
@Suite(
    "Through the balancer", .serialized, .timeLimit(.minutes(2)),
    .cluster(nodes: 1, configuration: ["listen.trustedProxies=127.0.0.1", "canary.enabled=false"]))
struct BalancerTests {
    private func withBalancer(_ body: (HAProxyProcess) async throws -> Void) async throws {
        let cluster = try #require(TestCluster.current)
        let node = try #require(cluster.addresses([0]).first)
        let balancer = try await HAProxyProcess.start(before: [node.port], directory: cluster.directory)
        do {
            try await body(balancer)
        } catch {
            await balancer.stop()
            throw error
        }
        await balancer.stop()
    }

    private func answer(_ request: String, of balancer: HAProxyProcess) async throws -> RawConnection.Answer {
        let connection = try await balancer.connect()
        try await connection.send(request)
        let answer = try await connection.lastAnswer()
        try? await connection.close()
        return answer
    }

    private static let spellings = [
        "/metrics", "/metrics/", "//metrics", "/metrics?", "/%6detrics", "/admin", "/admin/status", "//admin", "/ADMIN",
        "/v1/../admin", "/v1//../metrics", "/v1/%2e%2e/admin", "/v1/..%2fadmin", "/v1", "/health",
        "/health/ready/../../admin",
        "*://z/metrics", "*://z/admin", "*", "x://z/admin", "x://z/v1/x", "http://z/metrics", "http://z/admin",
        "http://z//admin", "HTTP://z/metrics", "http://z/v1/../admin", "http:///admin", "http://z?/admin",
        "http:/admin",
        "/v1/x://z/admin", "/v1/://z/metrics", "/health/ready://z/admin", "/v1/?://z/metrics", "/;/metrics",
        "/v1/;/../metrics",
        "\\metrics", "metrics", "z/metrics",
    ]

    @Test("What is for inside is reached by no spelling", arguments: spellings)
    func inside(_ target: String) async throws {
        try await withBalancer { balancer in
            for host in ["x", "z"] {
                let answer = try await answer(
                    "GET \(target) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n", of: balancer)
                #expect([400, 401, 404].contains(answer.status), "\(answer.status)")
                #expect(!answer.text.contains("process_start_time") && !answer.text.contains("<script"))
            }
        }
    }

    @Test("Who comes through a trusted proxy is shown nothing of what is for inside, whatever the proxy lets through")
    func proxied() async throws {
        let cluster = try #require(TestCluster.current)
        let node = try #require(cluster.addresses([0]).first)
        for (path, direct) in [("/metrics", 200), ("/admin", 200), ("/admin/status", 401), ("//metrics/", 200)] {
            for (field, status) in [("", direct), ("X-Forwarded-For: 192.0.2.1\r\n", 404)] {
                let connection = try await RawConnection.connect(
                    to: try SocketAddress(ipAddress: node.host, port: node.port))
                try await connection.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\(field)Connection: close\r\n\r\n")
                #expect(try await connection.lastAnswer().status == status, "\(path) \(field)")
            }
        }
    }

    @Test("Clients learn whether there is a node, and nothing of it")
    func health() async throws {
        try await withBalancer { balancer in
            let ready = try await answer(
                "GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", of: balancer)
            #expect(ready.status == 200)
            #expect(ready.text == #"{"degraded":false,"ready":true}"#)
            let cluster = try #require(TestCluster.current)
            #expect(try await cluster.local.health(of: 0).contains(#""pid":"#))
        }
    }

    @Test("What is for clients passes: requests, bodies that wait for a word, WebSockets")
    func clients() async throws {
        try await withBalancer { balancer in
            let connection = try await balancer.connect()
            try await connection.send(
                "POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
                    + "Content-Length: 2\r\nConnection: close\r\n\r\n")
            #expect(try await connection.head().status == 100)
            try await connection.send("{}")
            let registration = try await connection.lastAnswer()
            #expect(registration.status == 400 && registration.text.contains("missing_field"))
            let socket = try await balancer.connect()
            try await socket.send(
                "GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    + "Sec-WebSocket-Protocol: baton.v1.json\r\nAuthorization: Bearer x\r\n\r\n")
            #expect(try await socket.head().status == 401)
        }
    }

    @Test(
        "Requests that two hops could read differently are refused by one of them",
        arguments: [
            "Host: x\r\nHost: y\r\n", "", "Host: x\r\nTransfer-Encoding: gzip, chunked\r\n",
            "Host: x\r\nTransfer-Encoding: chunked, chunked\r\n", "Host: x\r\nTransfer-Encoding: identity\r\n",
            "Host: x\r\nTransfer-Encoding : chunked\r\n", "Host: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n",
            "Host: x\r\nContent-Length: +2\r\n", "Host: x\r\nX: a\0b\r\n", "Host: x\rX: y\r\n",
            "Host: x\r\nExpect: 200-ok\r\nContent-Length: 2\r\n",
        ])
    func ambiguous(_ fields: String) async throws {
        try await withBalancer { balancer in
            let answer = try await answer(
                "POST /v1/users HTTP/1.1\r\n\(fields)Connection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n", of: balancer)
            #expect([400, 417, 422, 501].contains(answer.status), "\(answer.status)")
            #expect(!answer.text.contains("missing_field") || answer.text.contains("Host"), "\(answer.text)")
        }
    }
}
