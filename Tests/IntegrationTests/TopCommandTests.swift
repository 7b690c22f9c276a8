import BatonBench
import BatonChaos
import BatonHistory
import Foundation
import Testing

@Suite("The command `baton top`", .cluster(nodes: 3), .serialized)
struct TopCommandTests {
    private let cluster: TestCluster

    init() throws { cluster = try #require(TestCluster.current) }

    @Test("It finds the nodes in Redis, and prints one object of them")
    func json() async throws {
        let run = try await top(["--json", "--redis", cluster.local.redisURL] + token)
        #expect(run.status == 0, "\(run.errors)")
        let object = try object(run.output)
        #expect(object["registryReachable"] as? Bool == true)
        let nodes = try #require(object["nodes"] as? [[String: Any]])
        #expect(nodes.compactMap { $0["node"] as? String } == ["n1", "n2", "n3"])
        for node in nodes {
            #expect(node["state"] as? String == "ready")
            #expect(node["acceptedPerSecond"] as? Double != nil)
            let status = try #require(node["status"] as? [String: Any])
            #expect(((status["process"] as? [String: Any])?["residentBytes"] as? Int ?? 0) > 1_000_000)
            let redis = try #require(status["redis"] as? [String: Any])
            #expect(redis["connected"] as? Int == redis["loops"] as? Int)
        }
        #expect((object["redis"] as? [String: Any])?["version"] as? String != nil)
        #expect(((object["store"] as? [String: Any])?["freeBytes"] as? Int ?? 0) > 0)
    }

    @Test("It prints one table, with a line for each node")
    func once() async throws {
        let run = try await top(["--once", "--redis", cluster.local.redisURL] + token)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("NODE") })
        for name in ["n1", "n2", "n3"] { #expect(lines.count { $0.hasPrefix("\(name)    ready") } == 1) }
        #expect(!run.output.contains("\u{1b}"))
    }

    @Test("A killed node is told of by the others, at once and without holding them up")
    func deadNode() async throws {
        await cluster.local.killNode(2)
        let run = try await top(["--json", "--node", cluster.local.nodeURLs[0]] + token)
        #expect(run.status == 0, "\(run.errors)")
        let nodes = try #require(try object(run.output)["nodes"] as? [[String: Any]])
        let dead = try #require(nodes.first { $0["node"] as? String == "n3" })
        #expect(dead["state"] as? String == "unreachable")
        #expect(dead["problem"] as? String == "does not answer")
        // The command asks another node where the first is the dead one.
        let other = try await top(
            ["--once", "--node", cluster.local.nodeURLs[2], "--node", cluster.local.nodeURLs[1]] + token)
        #expect(other.status == 0 && other.output.contains("n3    does not answer"), "\(other.output)\(other.errors)")
        try await cluster.local.startNode(2)
        try await cluster.local.untilReady(2)
    }

    @Test("A wrong token, none, or one that is none ends it with one line that says so")
    func tokens() async throws {
        let node = ["--once", "--node", cluster.local.nodeURLs[0]]
        let wrong = try await top(node, environment: ["BATON_ADMIN_TOKEN": String(repeating: "w", count: 43)])
        #expect(wrong.status == 1 && wrong.errors.contains("refuses the admin token"), "\(wrong.errors)")
        let short = try await top(node, environment: ["BATON_ADMIN_TOKEN": "short"])
        #expect(short.status == 1 && short.errors.contains("BATON_ADMIN_TOKEN holds no admin token"))
        let none = try await top(node + ["--set", "admin.tokenFile=/no/such/file"])
        #expect(none.status == 1 && none.errors.contains("/no/such/file") && none.errors.contains("BATON_ADMIN_TOKEN"))
        for run in [wrong, short, none] {
            #expect(run.output.isEmpty)
            #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
        }
    }

    @Test("The token may come from the environment; the right one works without its file")
    func environment() async throws {
        let secret = try String(contentsOfFile: cluster.directory + "/baton-admin.token", encoding: .utf8)
        let run = try await top(
            ["--once", "--node", cluster.local.nodeURLs[1]],
            environment: ["BATON_ADMIN_TOKEN": secret.trimmingCharacters(in: .whitespacesAndNewlines)])
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test("Without Redis it tries the configuration's own node, and says what to do where that is not there either")
    func withoutRedis() async throws {
        let port = try #require(cluster.local.nodeURLs[0].split(separator: ":").last)
        let dead = ["--once", "--redis", "redis://127.0.0.1:1"] + token
        let own = try await top(dead + ["--set", "listen.port=\(port)"])
        #expect(own.status == 0 && own.errors.contains("Redis at redis://127.0.0.1:1"), "\(own.errors)")
        let none = try await top(dead + ["--set", "listen.port=1"])
        #expect(none.status == 1 && none.errors.contains("the node at 127.0.0.1:1 does not answer"), "\(none.errors)")
    }

    @Test("A node that started without Redis knows the others from the store's file, and so do the commands")
    func startedWithoutRedis() async throws {
        await cluster.local.killRedis()
        await cluster.local.killNode(0)
        try await cluster.local.startNode(0)
        try await cluster.local.untilReady(0)
        let run = try await top(["--json", "--node", cluster.local.nodeURLs[0]] + token)
        #expect(run.status == 0, "\(run.errors)")
        let object = try object(run.output)
        #expect(object["registryReachable"] as? Bool == false)
        let nodes = try #require(object["nodes"] as? [[String: Any]])
        #expect(nodes.compactMap { $0["node"] as? String } == ["n1", "n2", "n3"])
        #expect(nodes.compactMap { $0["problem"] as? String }.isEmpty)

        let host = ["--redis", cluster.local.redisURL, "--set", "store.path=\(cluster.directory)/baton.sqlite"] + token
        let found = try await top(["--once"] + host + ["--set", "listen.port=1"])
        #expect(found.status == 0, "\(found.errors)")
        let trace = try await BatonCommand.run(["trace", "no-such-ref", "--json"] + host)
        #expect(trace.output.contains("the store's file names") || trace.errors.contains("the store's file names"))
        try await cluster.local.startRedis()
        for node in 0...2 { try await cluster.untilHealth(of: node) { $0.contains(#""reasons":[]"#) } }
    }

    private var token: [String] { ["--set", "auth.keysFile=\(cluster.directory)/keys.json"] }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func top(_ arguments: [String], environment: [String: String] = [:]) async throws -> BatonCommand {
        try await BatonCommand.run(["top"] + arguments, environment: environment)
    }
}
