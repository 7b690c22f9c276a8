import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import Foundation
import Testing

@Suite("The command `baton trace`", .serialized, .cluster(nodes: 2))
struct TraceTests {
    @Test("Across nodes: received, committed, accepted, hinted, written, acknowledged and stored, in this order")
    func byHint() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (try await Self.greet(people[0], 0), try await Self.greet(people[1], 1))
            let ref = UUID().uuidString
            try await alice.send("hello", ref: ref, to: people[1].user.description)
            let accepted = try await alice.accepted()
            let event = try await bob.event()
            #expect(event.message.ref == ref)
            let written = try await Self.trace(accepted.id, cluster)
            #expect(written.rows("devices").map { $0["state"] as? String } == ["written"])
            try await bob.acknowledge(event.inboxSequence)
            // The receipt is told once the acknowledgement is on disk.
            _ = try await alice.event()
            for what in [accepted.id, ref] {
                let trace = try await Self.trace(what, cluster)
                #expect(trace.status == 0, "\(trace.errors)")
                let life = trace.rows("life")
                #expect(
                    life.map { $0["event"] as? String } == [
                        "opened", "received", "committed", "accepted", "published", "written", "acknowledged", "stored",
                    ], "\(trace.output)")
                #expect(life.map { $0["node"] as? String } == ["n2", "n1", "n1", "n1", "n1", "n2", "n2", "n2"])
                #expect((life[4]["detail"] as? String)?.hasPrefix("hinted to 1 receiver") == true)
                #expect((life[5]["detail"] as? String)?.contains("as the hint brought it") == true)
                #expect((life[7]["ms"] as? Double ?? 0) > 0)
                #expect(trace.rows("devices").map { $0["state"] as? String } == ["acknowledged"])
                #expect(trace.object["message"] as? String == accepted.id)
                #expect(!trace.output.contains("hello"))
            }
            try await alice.close()
            try await bob.close()
        }
    }

    @Test("Somebody who is away is offline; later the same trace tells of the drain")
    func byDrain() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let alice = try await Self.greet(people[0], 0)
            try await alice.send("later", ref: "later", to: people[1].user.description)
            let accepted = try await alice.accepted()
            let before = try await Self.trace(accepted.id, cluster)
            #expect(before.rows("devices").map { $0["state"] as? String } == ["offline"], "\(before.output)")
            #expect(before.output.contains("hinted to nobody"))
            let bob = try await Self.greet(people[1], 1)
            let event = try await bob.event()
            try await bob.acknowledge(event.inboxSequence)
            _ = try await alice.event()
            let after = try await Self.trace(accepted.id, cluster)
            #expect(after.output.contains("read from the store"))
            #expect(after.rows("devices").map { $0["state"] as? String } == ["acknowledged"])
            try await alice.close()
            try await bob.close()
        }
    }

    @Test("A reader whose window is full is told as what the message waits for")
    func windowFull() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (try await Self.greet(people[0], 0), try await Self.greet(people[1], 1))
            var last = ""
            for number in 1...260 { try await alice.send("x", ref: "full-\(number)", to: people[1].user.description) }
            for _ in 1...260 { last = try await alice.accepted().id }
            // All of the window has come, and nothing was acknowledged.
            for _ in 1...256 { _ = try await bob.event() }
            #expect(try await bob.answers("still there"))
            let trace = try await Self.trace(last, cluster)
            #expect(trace.rows("devices").map { $0["state"] as? String } == ["blocked"], "\(trace.output)")
            #expect((trace.rows("devices").first?["why"] as? String)?.contains("256 unacknowledged") == true)
            #expect(trace.rows("life").contains { $0["event"] as? String == "blocked" })
            try await alice.close()
            try await bob.close()
        }
    }

    @Test("What a killed node did last is read from its file, and that it is dead is said")
    func killed() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let (alice, bob) = (try await Self.greet(people[0], 0), try await Self.greet(people[1], 1))
            try await alice.send("last words", ref: "killed", to: people[1].user.description)
            let accepted = try await alice.accepted()
            _ = try await bob.event()
            await cluster.local.killNode(1)
            let killed = try await Self.trace(accepted.id, cluster)
            #expect(
                killed.rows("life").contains { $0["event"] as? String == "written" && $0["node"] as? String == "n2" })
            #expect(killed.rows("nodes").contains { $0["told_by"] as? String == "its file" }, "\(killed.output)")
            #expect(killed.rows("devices").map { $0["state"] as? String } == ["connected"])
            #expect((killed.rows("devices").first?["why"] as? String)?.contains("does not answer") == true)
            // It starts again: its life before is over, and is still remembered.
            try await cluster.local.startNode(1)
            try await cluster.local.untilReady(1)
            let again = try await Self.trace(accepted.id, cluster)
            let state = again.rows("devices").first?["state"] as? String
            #expect(state == "node_dead" || state == "offline", "\(again.output)")
            #expect(again.rows("life").contains { $0["event"] as? String == "written" })
            #expect(again.rows("nodes").contains { $0["state"] as? String == "dead" })
            try await alice.close()
        }
    }

    @Test("Unknown refs, refs of several devices and rejected sends are told as what they are")
    func otherThanOne() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let unknown = try await Self.trace("never-\(UUID().uuidString)", cluster)
            #expect(unknown.status == 1)
            #expect((unknown.object["summary"] as? String)?.contains("never arrived") == true)
            let (alice, bob) = (try await Self.greet(people[0], 0), try await Self.greet(people[1], 1))
            let ref = "both/\(UUID().uuidString)"
            try await alice.send("1", ref: ref, to: people[1].user.description)
            let first = try await alice.accepted()
            try await bob.send("2", ref: ref, to: people[0].user.description)
            let second = try await bob.accepted()
            let several = try await Self.trace(ref, cluster)
            #expect(several.status == 0)
            #expect(Set(several.rows("messages").compactMap { $0["message"] as? String }) == [first.id, second.id])
            try await alice.send("3", ref: "to-myself", to: people[0].user.description)
            #expect(try await alice.rejected().error.code == "same_user")
            let rejected = try await Self.trace("to-myself", cluster)
            #expect(rejected.output.contains("same_user"), "\(rejected.output)")
            #expect((rejected.object["summary"] as? String)?.contains("rejected") == true)
            // Without the token the files tell the same, but for what the connections do now.
            let files = try await Self.trace(first.id, cluster, environment: ["BATON_ADMIN_TOKEN": "short"])
            #expect(files.status == 1 && files.errors.contains("BATON_ADMIN_TOKEN"))
            #expect(files.rows("life").contains { $0["event"] as? String == "accepted" })
            try await alice.close()
            try await bob.close()
        }
    }

    private static func greet(_ person: Person, _ node: Int) async throws -> RelaySocket {
        let cluster = try #require(TestCluster.current)
        let address = try #require(cluster.addresses([node]).first)
        return try await RelaySocket.greet(address, token: person.tokens.accessToken).0
    }

    private static func trace(
        _ what: String, _ cluster: TestCluster, environment: [String: String] = [:]
    ) async throws -> BatonCommand {
        try await BatonCommand.run(
            [
                "trace", what, "--json", "--redis", cluster.local.redisURL + "/0", "--store", cluster.local.storePath,
                "--set", "auth.keysFile=\(cluster.directory)/keys.json",
            ], environment: environment)
    }
}
