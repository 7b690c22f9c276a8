import BatonAPI
import BatonCore
import BatonGateway
import BatonProtocol
import Foundation
import HTTPTypes
import Synchronization
import Testing

@testable import BatonNode

@Suite("The route /admin/trace")
struct TraceRouteTests {
    private static let headers: HTTPFields = [.authorization: "Bearer \(AdminHarness.token)"]

    @Test("It asks for the token, like everything below /admin")
    func authorisation() async throws {
        let harness = try await AdminHarness()
        let refused = try await harness.get("/admin/trace/r1")
        #expect(refused.status == 401 && !refused.text.contains("n1"))
        let wrong: HTTPFields = [.authorization: "Bearer " + String(repeating: "w", count: 43)]
        #expect(try await harness.get("/admin/trace/r1", wrong).status == 401)
        #expect(try await harness.get("/admin/trace/r1", Self.headers).status == 200)
    }

    @Test("A node that remembers nothing says who it is and since when it remembers")
    func unknown() async throws {
        let harness = try await AdminHarness()
        let answer = try await harness.get("/admin/trace/r1", Self.headers)
        let trace = try JSONDecoder().decode(TraceAnswer.self, from: Data(answer.text.utf8))
        #expect(trace.node == "n1" && trace.incarnation == 1 && trace.isLive && trace.since == 1_000)
        #expect(trace.entries.isEmpty && trace.connections.isEmpty && !trace.isTruncated)
    }

    @Test(
        "Any text that could be a ref is looked for, whatever stands in it",
        arguments: ["%2e%2e%2Fetc", "%00", "%F0%9F%90%99", "a%20b", "*", String(repeating: "x", count: 64), "%25"])
    func anyRef(path: String) async throws {
        let harness = try await AdminHarness()
        #expect(try await harness.get("/admin/trace/" + path, Self.headers).status == 200)
    }

    @Test(
        "What can be no ref, and places that are none, are refused by name",
        arguments: [
            (String(repeating: "x", count: 65), "ref"), ("%", "ref"), ("%ff", "ref"), ("%zz", "ref"),
            ("r1?place=1", "place"), ("r1?place=2c5zqpgn29zcn", "place"), ("r1?place=2c5zqpgn29zcn.0", "place"),
            ("r1?place=2c5zqpgn29zcn.99999999999999999999", "place"), ("r1?place=2c5zqpgn29zcn.-1", "place"),
            ("r1?place=\u{1F419}.1", "place"),
        ])
    func refused(path: String, naming what: String) async throws {
        let harness = try await AdminHarness()
        let answer = try await harness.get("/admin/trace/" + path, Self.headers)
        #expect(answer.status == 400)
        #expect(answer.text.contains(#""code":"invalid_field""#) && answer.text.contains(what))
    }

    @Test("As many places are taken as are allowed, and not one more")
    func places() async throws {
        let harness = try await AdminHarness()
        func path(_ count: Int) -> String {
            "/admin/trace/r1?place=" + (1...count).map { "2c5zqpgn29zcn.\($0)" }.joined(separator: ",")
        }
        #expect(try await harness.get(path(Limits.Trace.keys), Self.headers).status == 200)
        #expect(try await harness.get(path(Limits.Trace.keys + 1), Self.headers).status == 413)
    }

    @Test(
        "So many may look at once; the next one is told to come back, and may when one of them is done",
        .timeLimit(.minutes(1)))
    func looks() async throws {
        let held = Held()
        let route = TraceRoute { _ in
            await withCheckedContinuation { continuation in held.looks.withLock { $0.append(continuation) } }
            return TraceAnswer(node: "n1", incarnation: 1, isLive: true, at: 0, since: 0)
        }
        let keys = try #require(TraceKeys("r1"))
        try await withThrowingTaskGroup(of: TraceAnswer.self) { group in
            for _ in 0..<Limits.Trace.looks { group.addTask { try await route.answer(keys) } }
            while held.looks.withLock(\.count) < Limits.Trace.looks { await Task.yield() }
            let error = await #expect(throws: APIError.self) { try await route.answer(keys) }
            #expect(error?.code == .overloaded)
            held.looks.withLock { $0.removeFirst() }.resume()
            _ = try await group.next()
            group.addTask { try await route.answer(keys) }
            while held.looks.withLock(\.count) < Limits.Trace.looks { await Task.yield() }
            for look in held.looks.withLock({ $0 }) { look.resume() }
            try await group.waitForAll()
        }
    }

    private final class Held: Sendable {
        let looks = Mutex<[CheckedContinuation<Void, Never>]>([])
    }

    @Test("What a command asks for is what a node understands")
    func path() throws {
        let user = UserID(rawValue: 77)
        for what in ["r1", "a/b", "\u{1F419} %", "..", "2c5zqpgn29zcn-agst8033m9ygb.3"] {
            let path = TraceQuery.path(what, [user: [InboxSequence(rawValue: 5)]])
            let parts = path.dropFirst("/admin/trace/".count).split(separator: "?place=")
            #expect(parts.count == 2 && !parts[0].contains("/"))
            let query = try TraceQuery(path: String(parts[0]), places: String(parts[1]))
            var keys = try #require(TraceKeys(what))
            keys.add(InboxSequence(rawValue: 5), of: user)
            #expect(query.keys == keys)
        }
        #expect(TraceQuery.path("r1", [:]) == "/admin/trace/r1")
    }
}
