import BatonBench
import BatonChaos
import BatonHistory
import Foundation
import Testing

/// The terminal client as people's scripts use it, against real nodes.
@Suite("baton chat on a cluster", .serialized, .timeLimit(.minutes(1)))
struct ChatCommandTests {
    private let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(
        path: "baton")

    private func withCluster(_ body: (LocalCluster, URL) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "baton-chat-\(UUID().uuidString)")
        var settings = LocalCluster.Settings(executable: program.path, directory: directory.path)
        settings.nodes = 2
        let cluster = try LocalCluster(settings)
        let result: Result<Void, any Error>
        do {
            try await cluster.start()
            result = .success(try await body(cluster, directory))
        } catch {
            result = .failure(error)
        }
        await cluster.stop()
        try? FileManager.default.removeItem(at: directory)
        try result.get()
    }

    private func chat(_ arguments: String..., on servers: [String], state: URL) throws -> ChatProcess {
        try ChatProcess(
            program: program, arguments + ["--server", servers.joined(separator: ","), "--register"], state: state)
    }

    @Test("Two people talk through two nodes, one node is killed, and no word is lost or said twice")
    func survivesANode() async throws {
        try await withCluster { cluster, directory in
            let urls = cluster.nodeURLs
            let bob = try chat("--as", "bob", on: [urls[1]], state: directory)
            #expect(await bob.says("* online via n2"))
            // Alice's addresses: n1 first, so that its death is hers.
            let alice = try chat("--as", "alice", "--with", "bob", on: urls, state: directory)
            #expect(await alice.says("* conversation with bob"))
            try alice.write("hello")
            #expect(await bob.says("< alice: hello"))
            #expect(await alice.says("> bob: hello  [delivered]"))
            try bob.write("/open alice")
            #expect(await alice.says("> bob: hello  [read]"))

            await cluster.killNode(0)
            for number in 1...20 { try alice.write("word \(number)") }
            #expect(await alice.says("* online via n2"))
            #expect(await bob.says("< alice: word 20"))
            #expect(await alice.says("> bob: word 20  [read]"))
            #expect(try await alice.leave() == 0)
            #expect(try await bob.leave() == 0)

            // What the store has is what was said, once and in order.
            let again = try chat("--as", "bob", "--with", "alice", on: [urls[1]], state: directory)
            #expect(try await again.leave() == 0)
            let history = await again.rest().filter { $0.hasPrefix("= ") }
            #expect(history == ["= alice: hello"] + (1...20).map { "= alice: word \($0)" })
        }
    }

    @Test("What could not be sent waits on disk, and goes out with the next run")
    func outboxOnDisk() async throws {
        try await withCluster { cluster, directory in
            let urls = cluster.nodeURLs
            let bob = try chat("--as", "bob", on: [urls[1]], state: directory)
            #expect(await bob.says("* online via n2"))
            let alice = try chat("--as", "alice", "--with", "bob", on: [urls[0]], state: directory)
            #expect(await alice.says("* conversation with bob"))
            await cluster.killNode(0)
            try alice.write("later")
            #expect(await alice.says("> bob: later  [waiting]"))
            try alice.write("/quit")
            #expect(await alice.rest().contains { $0.hasSuffix("[accepted]") } == false)

            try await cluster.startNode(0)
            try await cluster.untilReady(0)
            let again = try chat("--as", "alice", on: [urls[0]], state: directory)
            // Bob may have it before alice has looked at the conversation.
            #expect(await again.says("> bob: later  [accepted]", "> bob: later  [delivered]"))
            #expect(await bob.says("< alice: later"))
            #expect(try await again.leave() == 0)
            #expect(try await bob.leave() == 0)
        }
    }

    @Test("Two programs that are one device take it from each other once, and then one of them stays away")
    func oneDeviceTwice() async throws {
        try await withCluster { cluster, directory in
            let urls = cluster.nodeURLs
            let (home, copy) = (directory.appending(path: "home"), directory.appending(path: "copy"))
            let online = ["* online via n1", "* online via n2"]
            let first = try chat("--as", "alice", on: urls, state: home)
            #expect(await first.says(online[0], online[1]))
            try FileManager.default.copyItem(at: home, to: copy)

            let second = try chat("--as", "alice", on: urls, state: copy)
            #expect(await second.says(online[0], online[1]))
            // Each loses the connection and comes back; the first one loses it a second time, and leaves.
            #expect(await first.says(online[0], online[1]))
            #expect(await second.says(online[0], online[1]))
            let rest = await first.rest()
            #expect(rest.contains { $0.hasSuffix("another connection of this device took over") }, "\(rest)")
            #expect(rest.filter(online.contains) == [])
            #expect(try await first.leave() != 0)

            let bob = try chat("--as", "bob", on: [urls[0]], state: directory)
            #expect(await bob.says("* online via n1"))
            try second.write("/open bob")
            try second.write("still here")
            #expect(await bob.says("< alice: still here"))
            #expect(try await second.leave() == 0)
            #expect(!(await second.rest().contains { $0.contains("connection lost") }))
            #expect(try await bob.leave() == 0)
        }
    }
}
