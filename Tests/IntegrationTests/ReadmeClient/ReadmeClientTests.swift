import BatonBench
import BatonChaos
import BatonHistory
import Foundation
import Testing

/// The Python client is run as the README prints it, against real nodes.
@Suite("The README's client in Python")
struct ReadmeClientTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The program, from the README.
    private static func program() throws -> String {
        let readme = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let section = try #require(
            readme.components(separatedBy: "\n## A 30-line client in Python\n").dropFirst().first)
        let start = try #require(section.firstRange(of: "```python\n"))
        let rest = section[start.upperBound...]
        let end = try #require(rest.firstRange(of: "\n```"))
        return String(rest[..<end.lowerBound]) + "\n"
    }

    @Test("It has 30 lines, none of them long")
    func length() throws {
        let lines = try Self.program().split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect((10...30).contains(lines.count))
        #expect(lines.allSatisfy { $0.count <= 120 })
    }

    @Test(
        "Two of them talk through two nodes, and one that was away gets what it missed through the other",
        .timeLimit(.minutes(5)))
    func conversation() async throws {
        let python = try PythonInterpreter.withWebSockets()
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("baton-readme-\(UInt64.random(in: 1...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Self.program().write(to: folder.appendingPathComponent("client.py"), atomically: true, encoding: .utf8)

        let executable = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("baton").path
        var settings = LocalCluster.Settings(executable: executable, directory: folder.path + "/cluster")
        settings.nodes = 2
        let cluster = try LocalCluster(settings)
        do {
            try await cluster.start()
            try await converse(through: cluster, python, in: folder)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    private func converse(through cluster: LocalCluster, _ python: PythonInterpreter, in folder: URL) async throws {
        let addresses = cluster.nodeURLs.map { String($0.dropFirst("http://".count)) }
        func client(_ name: String, with peer: String, on node: Int) throws -> ReadmeClient {
            try ReadmeClient(python, in: folder, arguments: [addresses[node], name, "correct horse", peer])
        }
        let alice = try client("alice", with: "bob", on: 0)
        defer { alice.stop() }
        let bob = try client("bob", with: "alice", on: 1)
        defer { bob.stop() }
        let welcome = try await alice.next("welcome")
        #expect(welcome["node"] as? String == "n1")
        #expect(try await bob.next("welcome")["node"] as? String == "n2")
        _ = try await alice.next("caughtUp")
        _ = try await bob.next("caughtUp")

        try alice.type("hello bob")
        #expect(try await alice.next("accepted")["sequence"] as? String == "1")
        #expect(try await bob.nextText() == "hello bob")
        let receipt = try #require(try await alice.next("event")["receipt"] as? [String: Any])
        #expect(receipt["delivered"] as? String == "1", "the client has acknowledged it")
        // Python's JSON has it in escapes, two for each character beyond the first 65,536.
        let text = "hello alice \u{20BB7}野家 🇩🇪 \u{10FFFD}"
        try bob.type(text)
        #expect(try await alice.nextText() == text)
        // From here on it is known to be acknowledged, and does not come again.
        #expect(try await bob.next("event")["receipt"] is [String: Any])

        alice.stop()
        try bob.type("are you there?")
        _ = try await bob.next("accepted")
        let again = try client("alice", with: "bob", on: 1)
        defer { again.stop() }
        let second = try await again.next("welcome")
        #expect(second["device"] as? String == welcome["device"] as? String)
        #expect(second["node"] as? String == "n2")
        #expect(try await again.nextText() == "are you there?")
    }
}
