import BatonAPI
import BatonCore
import BatonTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@testable import BatonNode

@Suite("The routes below /admin")
struct AdminRoutesTests {
    @Test("The right token opens them", arguments: ["Bearer", "bearer"])
    func opens(_ scheme: String) async throws {
        let harness = try await AdminHarness()
        let answer = try await harness.get("/admin/status", [.authorization: "\(scheme) \(AdminHarness.token)"])
        #expect(answer.status == 200)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.text.contains(#""node":"n1""#))
    }

    @Test(
        "Without the token, or with another, there is nothing but the documented error",
        arguments: [
            nil, "", "Bearer", "Bearer ", "Basic \(AdminHarness.token)", AdminHarness.token,
            "Bearer \(AdminHarness.token)x", "Bearer \(AdminHarness.token.dropLast())",
            "Bearer \(AdminHarness.token) x",
        ] as [String?])
    func refuses(_ authorization: String?) async throws {
        let harness = try await AdminHarness()
        var headers = HTTPFields()
        headers[.authorization] = authorization
        let answer = try await harness.get("/admin/status", headers)
        #expect(answer.status == 401)
        #expect(answer.text.contains(#""code":"unauthenticated""#))
        #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
        #expect(!answer.text.contains("n1"))
        #expect(harness.refusals.count == 1)
    }

    @Test("A token in the URL opens nothing")
    func notInURLs() async throws {
        let harness = try await AdminHarness()
        #expect(try await harness.get("/admin/status?token=\(AdminHarness.token)").status == 401)
        #expect(try await harness.get("/admin/status?access_token=\(AdminHarness.token)").status == 401)
    }

    @Test("Two tokens in one request are one too many")
    func twoHeaders() async throws {
        let harness = try await AdminHarness()
        var headers = HTTPFields()
        headers.append(HTTPField(name: .authorization, value: "Bearer \(AdminHarness.token)"))
        headers.append(HTTPField(name: .authorization, value: "Bearer \(AdminHarness.token)"))
        #expect(try await harness.get("/admin/status", headers).status == 401)
    }

    @Test("Wrong tokens of an address are limited at the bound; neither others nor the right one suffer")
    func limits() async throws {
        let harness = try await AdminHarness()
        let wrong: HTTPFields = [.authorization: "Bearer " + String(repeating: "w", count: 43)]
        for _ in 0..<AdminGate.attempts.capacity {
            #expect(try await harness.get("/admin/status", wrong).status == 401)
        }
        let limited = try await harness.get("/admin/status", wrong)
        #expect(limited.status == 429)
        #expect(limited.headers[.retryAfter] == "30")
        #expect(try await harness.get("/admin/status", wrong, from: "192.0.2.9").status == 401)
        let right: HTTPFields = [.authorization: "Bearer \(AdminHarness.token)"]
        #expect(try await harness.get("/admin/status", right).status == 200)
    }

    @Test("Requests without a token cost no attempts")
    func missingIsFree() async throws {
        let harness = try await AdminHarness()
        for _ in 0..<(2 * AdminGate.attempts.capacity) {
            #expect(try await harness.get("/admin/status").status == 401)
        }
        #expect(Set(harness.refusals) == ["admin_missing"])
    }
}

/// The routes of a node that needs no server: requests go straight to the router's responder.
struct AdminHarness {
    static let token = String(repeating: "t", count: 43)

    private let refused = Refusals()
    private let responder: RouterResponder<APIRequestContext>

    init() async throws {
        let clock = MutableClock()
        let accounts = InMemoryAccountStore()
        let keys = try #require(SigningKeys([.random(created: clock.now)]))
        let limiter = InMemoryRateLimiter(clock: clock)
        let router = makeRouter(
            APIDependencies(
                accounts: accounts, conversations: InMemoryConversationStore(accounts: accounts), limiter: limiter,
                revocations: RecordingRevocationAnnouncer(isReachable: true), presence: SettablePresence(),
                clock: clock, tokens: await TokenAuthority(keys: keys, clock: clock),
                passwords: PasswordHasher(
                    parameters: Argon2Parameters(memoryKiB: 8, iterations: 1, parallelism: 1), threads: 1, queue: 1)))
        let refused = refused
        let gate = AdminGate(token: try #require(AdminToken(Self.token)), limiter: limiter) { refused.add($0) }
        AdminRoutes(gate: gate, health: { Self.health }).add(to: router)
        responder = router.buildResponder()
    }

    var refusals: [String] { refused.reasons.withLock { $0 } }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String
    }

    func get(_ path: String, _ headers: HTTPFields = [:], from address: String = "192.0.2.1") async throws -> Answer {
        let head = HTTPRequest(
            method: .get, scheme: "http", authority: "localhost", path: path, headerFields: headers)
        let context = APIRequestContext(
            remoteAddress: address, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let response = try await responder.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), context: context)
        let collected = Collector()
        try await response.body.write(collected)
        return Answer(
            status: response.status.code, headers: response.headers, text: collected.text.withLock { $0 })
    }

    private static let health = NodeHealth(
        ready: true, degraded: false, reasons: [], node: "n1", incarnation: "1", pid: 1, redisPID: nil, version: "0",
        connections: 7)

    private final class Refusals: Sendable {
        let reasons = Mutex<[String]>([])
        func add(_ reason: String) { reasons.withLock { $0.append(reason) } }
    }

    private final class Collector: ResponseBodyWriter, Sendable {
        let text = Mutex("")
        func write(_ buffer: ByteBuffer) async throws { text.withLock { $0 += String(buffer: buffer) } }
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }
}
