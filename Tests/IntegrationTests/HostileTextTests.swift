import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import BatonTestKit
import Foundation
import Testing

/// Names, texts, refs and values of Redis that are meant to fool the people who look at them, through whole commands.
@Suite("What others wrote, printed by each command", .serialized, .cluster(nodes: 2), .timeLimit(.minutes(3)))
struct HostileTextTests {
    private static let text = HostileText.texts.joined(separator: " ")
    private static let ref = "r\u{1b}[31m\u{202e}\u{9b}\u{200b}\n\u{feff}"
    private static let deviceName = "pho\u{200b}ne\u{feff}\u{ad}"
    /// Of Redis' own, for its inline commands.
    private static let escape = #"\x1b[31m\xe2\x80\xae\xc2\x9b\xe2\x80\x8b"#

    private struct Scene {
        let bob: Person
        let phone: String
        let message: String
        let conversation: String
    }

    @Test("Nothing of it reaches the terminal, as text or as JSON, and all of it is told")
    func commands() async throws {
        try await withPeople(2, nodes: [[0], [1]]) { cluster, people in
            let scene = try await self.scene(cluster, people)
            let user = ["user", scene.bob.handle]
            for (command, told) in [
                (["inspect"] + user, [#"pho\u200bne\ufeff\u00ad"#, #"\u001b[31m\u202e\u009b\u200b"#]),
                (["inspect", "node"], [#"\u001b[31m\u202e\u009b\u200b"#]),
                (["inspect", "conversation", scene.conversation, "--contents"], [#"\u001b[2J"#, #"\u009b31m"#]),
                (["inspect", "message", scene.message], [#"r\u001b[31m\u202e\u009b\u200b\n\ufeff"#]),
                (["trace", scene.message], [#"r\u001b[31m\u202e\u009b\u200b\n\ufeff"#, #"pho\u200bne"#]),
                (["trace", Self.ref], [#"r\u001b[31m\u202e\u009b\u200b\n\ufeff"#]),
                (["trace", "no\(Self.ref)"], [#"nor\u001b[31m\u202e\u009b\u200b\n\ufeff"#]),
                (["doctor", "--idle", "0"], ["node evil"]), (["top", "--once"], ["evil"]),
            ] {
                for json in [[], ["--json"]] {
                    let arguments = command + json
                    let run = try await BatonCommand.run(arguments + options(of: command[0], cluster))
                    #expect(HostileText.offences(in: run.output + run.errors) == [], "\(arguments)")
                    for part in told { #expect(run.output.contains(part), "\(arguments): \(run.output)\(run.errors)") }
                    if !json.isEmpty { #expect(!run.object.isEmpty, "\(arguments): \(run.output)") }
                }
            }
            // JSON is the same for programs.
            let json = try await BatonCommand.run(
                ["inspect", "message", scene.message, "--json"] + options(of: "inspect", cluster))
            #expect(json.object["ref"] as? String == Self.ref)
        }
    }

    /// Bob's second device has a name, and Alice wrote a text under a ref; somebody else wrote into Redis.
    private func scene(_ cluster: TestCluster, _ people: [Person]) async throws -> Scene {
        let (alice, bob) = (people[0], people[1])
        let phone = try BatonClient(ClientConfiguration(addresses: cluster.addresses([1])))
        let tokens = try await phone.login(
            handle: bob.handle, password: "correct horse", deviceName: Self.deviceName, platform: "p\u{2060}")
        await phone.close()
        let (socket, _) = try await RelaySocket.greet(cluster.addresses([0])[0], token: alice.tokens.accessToken)
        try await socket.send(Self.text, ref: Self.ref, to: bob.user.description)
        let accepted = try await socket.accepted()
        try await socket.close()

        let since = "2026-11-21T09:15:59.057Z"
        for command in [
            #"HSET session:{\#(bob.user)} \#(tokens.device) "node=evil incarnation=1 generation=4000000000009 "#
                + #"since=\#(since) client=\#(Self.escape)""#,
            #"HSET node:evil incarnation 1 address "127.0.0.1:1\#(Self.escape)" state up connections 1 since \#(since)"#,
            "SADD nodes evil.1",
        ] { _ = try await cluster.local.redis(command) }
        return Scene(
            bob: bob, phone: tokens.device.description, message: accepted.id, conversation: accepted.conversation)
    }

    private func options(of command: String, _ cluster: TestCluster) -> [String] {
        let keys = ["--redis", cluster.local.redisURL + "/0", "--set", "auth.keysFile=\(cluster.directory)/keys.json"]
        return command == "top" ? keys : keys + ["--store", cluster.local.storePath]
    }

    @Test("A chat in a pipe shows a message harmlessly, on one line")
    func chat() async throws {
        try await withPeople(1, nodes: [[0]]) { cluster, people in
            let alice = people[0]
            let program = URL(fileURLWithPath: try TestCluster.executable("baton"))
            let state = URL(fileURLWithPath: cluster.directory).appending(path: "chat")
            let name = "hostile\(UInt32.random(in: 0...UInt32.max))"
            let chat = try ChatProcess(
                program: program, ["--as", name, "--register", "--server", cluster.local.nodeURLs[1]], state: state)
            #expect(await chat.says("* online via n2"))
            let target = try await alice.client.profile(handle: name)
            try await alice.connected()
            for text in [Self.text, "last"] { _ = try await alice.client.send(text, to: .user(target.id)) }
            // Whoever leaves before it has come does not see it.
            let lines = try #require(await chat.said(upTo: ["< \(alice.handle): last"]))
            #expect(try await chat.leave() == 0)
            #expect(lines.contains { $0.hasPrefix("< \(alice.handle): ") && $0.contains(#"\u001b[2J"#) }, "\(lines)")
            #expect(HostileText.offences(in: lines.joined(separator: "\n")) == [])
        }
    }

    @Test(
        "An error does not either",
        arguments: [
            ["inspect", "message", "no\u{1b}[31m\u{202e}"],
            ["node", "--set", "listen.port=\u{1b}[31m\u{202e}"], ["node", "--set", "\u{1b}[31m\u{202e}=1"],
            ["chat", "--as", "\u{1b}[31m\u{202e}"], ["chat", "--as", "a", "--server", "http://\u{1b}[31m\u{202e}"],
            ["\u{1b}[31m\u{202e}"], ["bench", "--nodes", "\u{1b}[31m\u{202e}"],
            ["top", "--node", "\u{1b}[31m\u{202e}"], ["doctor", "--\u{1b}[31m\u{202e}"],
            ["chaos", "--faults", "\u{1b}[31m\u{202e}"], ["chaos", "check", "/no/\u{1b}[31m\u{202e}"],
            ["simulate", "--seed", "\u{1b}[31m\u{202e}"],
            ["trace", "x", "--config", "/no/\u{1b}[31m\u{202e}"],
        ])
    func errors(arguments: [String]) async throws {
        let run = try await BatonCommand.run(arguments)
        #expect(run.status != 0)
        #expect(
            run.errors.contains(#"\u001b[31m\u202e"#) || arguments == ["chat", "--as", "\u{1b}[31m\u{202e}"],
            "\(run.errors)")
        #expect(HostileText.offences(in: run.output + run.errors) == [], "\(run.errors)")
    }

    @Test("The proof of a broken promise does not either: as text, as JSON, and on the page")
    func histories() async throws {
        let path = NSTemporaryDirectory() + "a1-\(UUID().uuidString).jsonl"
        let page = path + ".html"
        defer { for file in [path, page] { try? FileManager.default.removeItem(atPath: file) } }
        let file = try HistoryFile(path: path, began: .now)
        file.append(.device(user: "ann", device: "a1"))
        for inbox in UInt64(1)...2 {
            file.append(
                .applied(
                    .init(inbox: inbox, conversation: "c", sequence: 1, device: "b1", ref: Self.text, body: 1)))
        }
        try file.close()
        let run = try await BatonCommand.run(["chaos", "check", path, "--report", page])
        #expect(run.status == 1 && run.output.contains("not so: "), "\(run.output)")
        #expect(HostileText.offences(in: run.output + run.errors) == [], "\(run.output)\(run.errors)")
        #expect(HostileText.offences(in: try String(contentsOfFile: page, encoding: .utf8)) == [])

        let nonsense = Data("{\"at\":1,\"event\":\"\u{202e}\u{9b}31m\"}\n".utf8)
        try nonsense.write(to: URL(fileURLWithPath: path))
        let refused = try await BatonCommand.run(["chaos", "check", path])
        #expect(refused.errors.contains(#"\u202e\u009b31m"#), "\(refused.errors)")
        #expect(HostileText.offences(in: refused.output + refused.errors) == [])
    }
}
