import Foundation
import Testing

@testable import BatonChaos
@testable import BatonHistory

@Suite("The report of a run")
struct ChaosReportTests {
    private func run(faults: Bool = true, wanted: Int = 2, accepted: Bool = true) -> RunBuilder {
        var run = RunBuilder("a1", "b1")
        run.run(wanted: wanted)
        run.add(0, .stage(.load))
        run.add(10, .stage(.heal))
        if faults { run.fault(1, healed: 2, kind: "redis-kill", target: "redis") }
        for second in [1.5, 5] {
            run.message(second, accepted: accepted ? second + 0.1 : nil, applied: accepted ? ["b1": second + 1.2] : [:])
        }
        return run
    }

    @Test("Sound histories of a run with faults pass: exit code 0")
    func pass() throws {
        let report = try run().report()
        #expect(report.outcome == .pass && report.outcome.exitCode == 0)
        #expect(report.text.contains("redis-kill"))
        #expect(report.text.contains("PASS: All \(Invariant.allCases.count) invariants held through one fault"))
        #expect(report.text.contains("700 ms"))
    }

    @Test("A breach, or a process that did what it must not, fails: exit code 1")
    func fail() throws {
        var verdict = HistoryVerdict()
        verdict.accepted = 2
        verdict.counts[.lost] = 3
        let broken = try run().report(verdict)
        #expect(broken.outcome == .fail && broken.outcome.exitCode == 1)
        #expect(broken.text.contains("BROKEN 3") && broken.sentence == "Broken: lost.")
        var crashed = run()
        crashed.add(4, .misbehaved(what: "n2 ended by itself"))
        #expect(try crashed.report().outcome == .fail)
        #expect(try crashed.report().text.contains("n2 ended by itself"))
    }

    @Test("A run without faults, or with too few messages, says nothing: exit code 3")
    func inconclusive() throws {
        let reports = [
            try run(faults: false).report(), try run(wanted: 5).report(), try run(accepted: false).report(),
        ]
        for report in reports {
            #expect(report.outcome == .inconclusive && report.outcome.exitCode == 3)
            #expect(report.weakness != nil && report.text.contains("INCONCLUSIVE"))
        }
    }

    @Test("The line for programs has all counts, the recovery of each kind of fault, and where the page is")
    func json() throws {
        let line = try run().report().json(page: "/there/report.html")
        #expect(!line.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["verdict"] as? String == "pass")
        for key in ["lost", "duplicated", "reordered"] { #expect(object[key] as? Int == 0) }
        #expect(object["accepted"] as? Int == 2 && object["faults"] as? Int == 1)
        #expect((object["invariants"] as? [String: Int])?.count == Invariant.allCases.count)
        let recovery = (object["recovery_ms"] as? [String: [String: Double]])?["redis-kill"]
        #expect(recovery == ["faults": 1, "p50": 700, "max": 700])
        #expect(object["report"] as? String == "/there/report.html")
        #expect(object["seed"] as? Int == 7)
    }

    @Test("Columns are as wide as they must be")
    func table() {
        let table = TextTable([["A", "COUNT"], ["longer", "7"], ["x"]], rightAligned: [1])
        #expect(table.lines == ["  A       COUNT", "  longer      7", "  x"])
    }
}
