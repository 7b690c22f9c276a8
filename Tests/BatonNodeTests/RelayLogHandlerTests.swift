import BatonTestKit
import Foundation
import Logging
import Synchronization
import Testing

@testable import BatonNode

@Suite("The log")
struct RelayLogHandlerTests {
    @Test("For people: time, level, label, constant message, sorted metadata")
    func text() {
        let lines = logged(.text) { logger in
            logger.info("node ready", metadata: ["port": "8080", "address": "127.0.0.1", "why": "two words"])
        }
        #expect(
            lines == [
                "2026-01-31T08:30:00.000042Z info node: node ready address=127.0.0.1 port=8080 why=\"two words\"\n"
            ])
    }

    @Test("For programs: one JSON object a line, numbers as numbers, no key twice")
    func json() throws {
        let lines = logged(.json) { logger in
            logger.warning(
                "store \"slow\"",
                metadata: [
                    "milliseconds": .stringConvertible(12), "message": "x", "list": ["a", "b"], "map": ["k": "v"],
                    "up": .stringConvertible(true),
                ])
        }
        let object = try JSONSerialization.jsonObject(with: Data(try #require(lines.first).utf8)) as? [String: Any]
        #expect(object?["level"] as? String == "warning")
        #expect(object?["message"] as? String == "store \"slow\"")
        #expect(object?["message_"] as? String == "x")
        #expect(object?["milliseconds"] as? Int == 12)
        #expect(object?["up"] as? Bool == true)
        #expect(object?["list"] as? [String] == ["a", "b"])
        #expect(object?["map"] as? [String: String] == ["k": "v"])
        #expect(object?["time"] as? String == "2026-01-31T08:30:00.000042Z")
    }

    @Test("Nothing that a client sends can forge a line or move the cursor", arguments: [LogFormat.text, .json])
    func injection(format: LogFormat) throws {
        let evil = "a\nlevel=error \u{1B}[2J\u{85}\u{0}\"\\"
        let lines = logged(format) { logger in logger.info("x", metadata: ["client\n": "\(evil)", "e": ""]) }
        let line = try #require(lines.first)
        #expect(line.hasSuffix("\n") && line.count(where: { $0 == "\n" }) == 1)
        for text in HostileText.texts {
            let lines = logged(format) { $0.info("\(text)", metadata: ["\(text)": "\(text)"]) }
            #expect(HostileText.offences(in: lines.joined()) == [] && lines.joined().filter { $0 == "\n" }.count == 1)
        }
        if format == .json {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
            #expect(object?["client\n"] == evil)
        }
    }

    @Test("What is below the level is not written; a logger's own metadata is, unless the event has it too")
    func levels() {
        let lines = logged(.text) { logger in
            logger.debug("quiet")
            logger[metadataKey: "node"] = "n1"
            logger[metadataKey: "loop"] = "1"
            logger.info("loud", metadata: ["loop": "2"])
        }
        #expect(lines.count == 1)
        #expect(lines.first?.hasSuffix("loud loop=2 node=n1\n") == true)
    }

    @Test(
        "Dates are those of the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00"), (951_782_400, "2000-02-29T00:00:00"), (4_107_542_399, "2100-02-28T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"), (-1, "1969-12-31T23:59:59"), (1_735_689_599, "2024-12-31T23:59:59"),
        ])
    func dates(seconds: Int, date: String) {
        let line = LogLine(seconds: seconds, microseconds: 0, level: .info, label: "x", message: "m", metadata: [:])
        #expect(line.text().hasPrefix(date + ".000000Z"))
    }

    private func logged(_ format: LogFormat, _ body: (inout Logger) -> Void) -> [String] {
        let lines = Lines()
        var logger = Logger(label: "node") { label in
            RelayLogHandler(
                label: label, level: .info, format: format, sink: { line in lines.append(line) },
                clock: { (1_769_848_200, 42) })
        }
        body(&logger)
        return lines.all
    }
}

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}
