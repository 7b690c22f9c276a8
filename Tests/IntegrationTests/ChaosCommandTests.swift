import BatonBench
import BatonChaos
import BatonCore
import BatonHistory
import Foundation
import Testing

@Suite("The command `baton chaos`", .alone)
struct ChaosCommandTests {
    @Test("A short run with all faults passes, leaves a page, and its last line is a JSON object that says so")
    func passes() async throws {
        let page = NSTemporaryDirectory() + "page-\(UUID().uuidString).html"
        defer { try? FileManager.default.removeItem(atPath: page) }
        let run = try await BatonCommand.run([
            "chaos", "--seconds", "12", "--users", "12", "--rate", "80", "--seed", "7", "--report", page,
        ])
        let last = try #require(run.output.split(separator: "\n").last)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect(object["verdict"] as? String == "pass", "\(run.output)")
        #expect(run.status == 0)
        #expect(object["seed"] as? Int == 7)
        #expect(try #require(object["accepted"] as? Int) > 400)
        #expect(try #require(object["faults"] as? Int) >= 4)
        for invariant in ["lost", "duplicated", "reordered"] { #expect(object[invariant] as? Int == 0) }
        #expect(object["report"] as? String == page)
        let html = try String(contentsOfFile: page, encoding: .utf8)
        for part in [">Pass<", "baton chaos --seconds 12", "class=\"state ready\"", "class=\"broken\""] {
            #expect(html.contains(part), "\(part)")
        }
        #expect(html.utf8.count < 1_000_000)
    }

    @Test(
        "Wrong arguments are refused by name",
        arguments: [["--users", "1"], ["--faults", "meteor"], ["--rate", "x"]])
    func refused(arguments: [String]) async throws {
        let run = try await BatonCommand.run(["chaos"] + arguments)
        #expect(run.status != 0 && run.status != 1 && run.status != 3)
        #expect(run.errors.contains(arguments[1]) || run.errors.contains(arguments[0]))
    }

    @Test(
        "Other commands say in one line what is wrong with their arguments",
        arguments: [
            (["bench", "--nodes", "ftp://x"], "ftp://x is no address"),
            (["bench", "--nodes", "http://127.0.0.1:1", "--window", "0"], "--window must be at least 1"),
            (["inspect", "message", "nonsense"], "'nonsense' is not a message's id"),
            (["node", "--set", "no.such=1"], "no.such"),
        ])
    func refusedElsewhere(arguments: [String], saying what: String) async throws {
        let run = try await BatonCommand.run(arguments)
        #expect(run.status != 0)
        #expect(run.output.isEmpty)
        let complaints = run.errors.split(separator: "\n").filter { $0.hasPrefix("Error: ") }
        #expect(complaints.count == 1 && complaints[0].contains(what), "\(run.errors)")
    }

    @Test(
        "Nodes of the version before and of this one serve one store, and each is restarted",
        .enabled(if: older != nil, "ops/test builds the version before"))
    func upgrade() async throws {
        let run = try await BatonCommand.run([
            "chaos", "--seconds", "20", "--users", "8", "--rate", "60", "--seed", "3", "--kill-every", "3",
            "--other-executable", try #require(Self.older), "--faults", "mixed,node,sigterm",
        ])
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
        #expect(run.output.contains("mixed"))
    }

    private static let older = ProcessInfo.processInfo.environment["BATON_TEST_OLDER"]

    #if DEBUG
        @Test("A run that breaks a promise ends with status 1, and proves it in its table and on its page")
        func broken() async throws {
            let (run, html) = try await Self.shortRun(
                ["--rate", "60"], environment: ["BATON_PLANTED_BUG": PlantedBug.inventReceipts.rawValue])
            #expect(run.status == 1, "\(run.output)\n\(run.errors)")
            #expect(run.output.contains("FAIL: ") && run.output.contains("receipt_untruthful"))
            let object = try Self.lastLine(of: run)
            #expect(object["verdict"] as? String == "fail")
            let broken = try #require(object["broken"] as? [String: Int])
            #expect(broken["receipt_untruthful"] ?? 0 > 0)
            #expect(html.contains(">Broken<") && html.contains("Not so: "))
        }
    #endif

    @Test("A run in which little of what was asked for was accepted ends with status 3, and says so")
    func tooLittle() async throws {
        // More than a machine can do.
        let (run, html) = try await Self.shortRun(["--rate", "1000000"])
        #expect(run.status == 3, "\(run.output)\n\(run.errors)")
        #expect(run.output.contains("INCONCLUSIVE: ") && run.output.contains("of 5000000 messages were accepted"))
        let object = try Self.lastLine(of: run)
        #expect(object["verdict"] as? String == "inconclusive")
        #expect(try #require(object["accepted"] as? Int) > 0)
        #expect(html.contains(">Inconclusive<"))
    }

    @Test("A run that cannot be made ends with status 3 and the reason")
    func impossible() async throws {
        let run = try await BatonCommand.run(
            ["chaos", "--seconds", "5"], environment: ["BATON_STORE_RETENTION": "nonsense"])
        #expect(run.status == 3)
        let object = try Self.lastLine(of: run)
        #expect(object["verdict"] as? String == "inconclusive")
        #expect((object["reason"] as? String)?.contains("ended while it should start") == true, "\(run.output)")
    }

    /// Some seconds with few users and kills of nodes.
    private static func shortRun(
        _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> (run: BatonCommand, html: String) {
        let page = NSTemporaryDirectory() + "page-\(UUID().uuidString).html"
        let directory = NSTemporaryDirectory() + "chaos-\(UUID().uuidString)"
        defer {
            for file in [page, directory] { try? FileManager.default.removeItem(atPath: file) }
        }
        let run = try await BatonCommand.run(
            [
                "chaos", "--seconds", "5", "--nodes", "2", "--users", "4", "--seed", "7", "--faults", "node",
                "--kill-every", "2", "--directory", directory, "--report", page,
            ] + arguments, environment: environment)
        return (run, (try? String(contentsOfFile: page, encoding: .utf8)) ?? "")
    }

    private static func lastLine(of run: BatonCommand) throws -> [String: Any] {
        let last = try #require(run.output.split(separator: "\n").last)
        return try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
    }

    @Test("Histories that break a promise are judged `fail`, by status, by the last line and on the page")
    func check() async throws {
        let (run, html) = try await Self.check(applications: 2)
        #expect(run.status == 1)
        #expect(run.output.split(separator: "\n").last?.contains(#""duplicated":1"#) == true)
        #expect(html.contains(">Broken<") && html.contains("Not so: "))
    }

    @Test("Histories without an accepted message are inconclusive: status 3")
    func inconclusive() async throws {
        let (run, html) = try await Self.check(applications: 0)
        #expect(run.status == 3)
        #expect(run.output.split(separator: "\n").last?.contains(#""verdict":"inconclusive""#) == true)
        #expect(html.contains(">Inconclusive<"))
    }

    /// Judges the history of a device that applied one message so many times.
    private static func check(
        applications: UInt64
    ) async throws -> (run: BatonCommand, html: String) {
        let path = NSTemporaryDirectory() + "a1-\(UUID().uuidString).jsonl"
        let page = path + ".html"
        defer {
            for file in [path, page] { try? FileManager.default.removeItem(atPath: file) }
        }
        let file = try HistoryFile(path: path, began: .now)
        file.append(.device(user: "ann", device: "a1"))
        for inbox in 0..<applications {
            file.append(
                .applied(.init(inbox: inbox + 1, conversation: "c", sequence: 1, device: "b1", ref: "r", body: 1)))
        }
        try file.close()
        let run = try await BatonCommand.run(["chaos", "check", path, "--report", page])
        return (run, try String(contentsOfFile: page, encoding: .utf8))
    }

}
