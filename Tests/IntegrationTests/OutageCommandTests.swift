import Foundation
import Testing

@Suite("The command `baton chaos outage`", .alone, .timeLimit(.minutes(4)))
struct OutageCommandTests {
    @Test("After 10 s without any node 99 of 100 clients are back within 6 s of the nodes")
    func comeBack() async throws {
        let run = try await BatonCommand.run(["chaos", "outage", "--clients", "100", "--down", "10", "--nodes", "2"])
        #expect(run.status == 0, "\(run.output)\n\(run.errors)")
        let last = try #require(run.output.split(separator: "\n").last)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect(object["verdict"] as? String == "pass")
        #expect(object["back"] as? Int == 100)
        #expect(try #require(object["down_seconds"] as? Double) >= 10)
        let back = try #require(object["back_ms"] as? [String: Double])
        #expect(try #require(back["p99"]) <= 6_000)
        #expect(try #require(back["p50"]) <= 3_500)
    }

    @Test(
        "Wrong arguments are refused by name", arguments: [["--clients", "0"], ["--down", "0"], ["--within", "x"]])
    func refused(arguments: [String]) async throws {
        let run = try await BatonCommand.run(["chaos", "outage"] + arguments)
        #expect(run.status != 0 && run.status != 1 && run.status != 3)
        #expect(run.errors.contains(arguments[0]) || run.errors.contains(arguments[1]))
    }
}
