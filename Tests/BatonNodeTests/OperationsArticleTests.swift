import BatonAPI
import BatonCore
import BatonRedis
import Foundation
import Testing

@testable import BatonNode

@Suite("The article about operations")
struct OperationsArticleTests {
    private let article: String

    private static let health = NodeHealth(
        ready: true, degraded: false, reasons: [], node: "n1", incarnation: "1", pid: 1, redisPID: 1, version: "0",
        connections: 0)

    init() throws {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/BatonNode/BatonNode.docc/Operations.md")
        article = try String(contentsOf: path, encoding: .utf8)
    }

    @Test("It says of each metric what to do, in the table's order, and of no other")
    func metrics() {
        let rows = article.split(separator: "\n").compactMap { line -> (name: String, advice: String)? in
            guard let row = line.firstMatch(of: #/^\| `((?:baton|process)_\w+)` \| (.+) \|$/#) else { return nil }
            return (String(row.output.1), String(row.output.2))
        }
        #expect(rows.map(\.name) == MetricNames.all.map(\.name))
        #expect(rows.allSatisfy { $0.advice.count > 7 })
        let known = Set(MetricNames.all.map(\.name))
        for mention in article.matches(of: #/\bbaton_[a-z_]+/#) {
            #expect(known.contains(String(mention.output)), "\(mention.output) is no metric")
        }
    }

    @Test("It names each path that is for inside, and no other below /admin")
    func paths() async throws {
        var table = RouteTable()
        ObservabilityRoutes(metrics: PrometheusMetrics()) { Self.health }.add(to: &table)
        let routes =
            try await AdminHarness().routes.filter { $0.access == .inside || $0.access == .operators } + table.routes
        #expect(routes.count == 9)
        // A parameter is described in words.
        let paths = Set(routes.map { String($0.path.prefix { $0 != "{" }) })
        for path in paths { #expect(article.contains("`\(path)") || article.contains(" \(path)"), "\(path)") }
        for mention in article.matches(of: #/\/admin\/[a-z]+/#) {
            let path = String(mention.output)
            #expect(paths.contains(path) || paths.contains(path + "/"), "\(path) is no path")
        }
    }

    @Test("It knows each reason of a node that is not ready, or degraded")
    func reasons() throws {
        let canary = CanaryWatch(bound: .zero, period: .zero, metrics: PrometheusMetrics())
        let n2 = try #require(NodeID("n2"))
        canary.sent("r", to: .node(n2), user: UserID(rawValue: 1))
        canary.bus(isThere: false)
        canary.othersHaveBus([n2])
        let state = NodeState(loops: 1, canary: canary, clockCorrection: { -599_600 })
        state.redis(isEvicting: true)
        state.clock(offset: 600_000)
        state.evacuating()
        state.lease(isHeld: false)
        state.store(.diskFull)
        var reasons = Set(state.summary().reasons)
        state.store(.unavailable(""))
        state.storeBegan(at: .now - .seconds(Limits.Store.stalledSeconds + 1))
        state.storeLog(isHeld: true)
        reasons.formUnion(state.summary().reasons)
        #expect(reasons.count == 14)
        #expect(reasons.isSuperset(of: ["clock_off:+600", "clock_corrected:-600"]))
        for reason in reasons {
            let word = reason.replacing(":n2", with: ":<node>").replacing(#/:[+-]600/#, with: ":<seconds>")
            #expect(article.contains("`\(word)`"), "\(word)")
        }
    }

    @Test("It knows each function that Redis may refuse, and each reason for it")
    func refusals() throws {
        let start = try #require(article.firstRange(of: "### What Redis refuses")).upperBound
        let section = article[start...].prefix { $0 != "#" }
        for name in RedisFunction.allCases.map(\.rawValue) + RedisRefusal.allCases.map(\.rawValue) {
            #expect(section.contains("`\(name)`"), "\(name)")
        }
    }

    @Test("Keys that were evicted are told of, and for a while after the last of them")
    func evictions() {
        var evictions = RedisWatch.Evictions()
        #expect(evictions.looked(evicted: 7) == nil, "it may be long ago")
        #expect(evictions.looked(evicted: 8) == true)
        #expect(evictions.looked(evicted: 9) == nil)
        for _ in 0..<11 { #expect(evictions.looked(evicted: 9) == nil) }
        #expect(evictions.looked(evicted: 9) == false)
        #expect(evictions.looked(evicted: 0) == nil, "it was started anew")
        #expect(evictions.looked(evicted: 1) == true)
    }

    @Test("A clock is off beyond the bound only, ahead and behind")
    func clock() {
        let state = NodeState(loops: 0)
        state.serving()
        for sign in [-1, 1] as [Int64] {
            let bound = sign * Limits.Node.clockOffSeconds * 1_000
            state.clock(offset: bound)
            #expect(state.summary().ready && state.summary().reasons.isEmpty)
            state.clock(offset: bound + sign)
            #expect(!state.summary().ready && state.summary().reasons == ["clock_off:\(sign < 0 ? "-" : "+")10"])
        }
        // Without any word of Redis.
        let corrected = NodeState(loops: 0, clockCorrection: { 1_400 })
        corrected.serving()
        #expect(corrected.summary().ready && corrected.summary().reasons == ["clock_corrected:+1"])
    }

    @Test("A node without the bus is known by its reasons")
    func hasBus() {
        #expect(NodeState.hasBus([]) && NodeState.hasBus(["redis_refuses_sessions:read_only", "store_full"]))
        for reason in [
            "redis_unreachable", "redis_refuses_hints:no_permission", "redis_refuses_subscriptions:no_permission",
            "redis_refuses_login:wrong_password",
        ] {
            #expect(!NodeState.hasBus(["store_full", reason]))
        }
    }

    @Test("A commit that is under way for longer than the bound degrades the node until it ends")
    func stalled() {
        let state = NodeState(loops: 0)
        state.serving()
        state.storeBegan(at: .now - .seconds(Limits.Store.stalledSeconds - 1))
        #expect(state.summary().reasons.isEmpty)
        state.storeBegan(at: .now - .seconds(Limits.Store.stalledSeconds + 1))
        #expect(state.summary().reasons == ["store_stalled"] && state.summary().ready)
        state.store(nil)
        #expect(state.summary().reasons.isEmpty)
    }

    @Test("A log that somebody holds degrades the node until it starts anew")
    func logHeld() {
        let state = NodeState(loops: 0)
        state.serving()
        state.storeLog(isHeld: true)
        #expect(state.summary().reasons == ["store_log_held"] && state.summary().ready && state.summary().degraded)
        state.storeLog(isHeld: false)
        #expect(state.summary().reasons.isEmpty)
    }

    @Test("Keys of the configuration that it names exist")
    func keys() {
        let known = Set(NodeConfiguration.keys.map(\.name))
        let sections = Set(known.compactMap { $0.split(separator: ".").first.map(String.init) })
        var named = 0
        for mention in article.matches(of: #/`([a-z]+)\.([a-zA-Z]+)(?:: \w+)?`/#) {
            guard sections.contains(String(mention.output.1)) else { continue }
            named += 1
            #expect(known.contains("\(mention.output.1).\(mention.output.2)"), "\(mention.output.0)")
        }
        #expect(named > 8)
    }
}
