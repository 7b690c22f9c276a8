import BatonTestKit
import Foundation
import Testing

@testable import BatonChaos
@testable import BatonHistory

@Suite("The page of a run")
struct ReportPageTests {
    private func small() -> RunBuilder {
        var run = RunBuilder("a1", "b1")
        run.run()
        run.add(1, .stage(.baseline))
        run.add(2, .stage(.load))
        run.add(2, .connection(.init(1, .live)), to: "b1")
        run.message(2.1, accepted: 2.11, applied: ["b1": 2.12])
        run.fault(3, healed: 5)
        run.message(3.5, accepted: 5.2, applied: ["b1": 5.7])
        run.add(3, .node(.init(node: "n1", readiness: .unreachable)))
        run.add(3, .node(.init(node: "n2", readiness: .degraded, reasons: ["redis_unreachable"], residentKiB: 50_000)))
        run.add(4, .redis(.init(sessions: 2, channels: 9, memoryKiB: 1_000)))
        run.add(6, .stage(.heal))
        run.add(7, .stage(.end))
        return run
    }

    @Test("Verdict, seed, command, faults, plots and invariants are on it")
    func structure() throws {
        let html = ReportPage(try small().report()).html
        for part in [
            "<title>Baton chaos: pass, seed 7</title>", ">Pass<", "baton chaos --seed 7", "Throughput", "Latency",
            "Backlog",
            "Connections", "Memory", "redis_unreachable", "2026-11-21T12:00:00Z", "SIGKILL", ">700 ms<",
        ] { #expect(html.contains(part), "\(part)") }
        for invariant in Invariant.allCases { #expect(html.contains(invariant.rawValue)) }
        #expect(html.components(separatedBy: "class=\"ok\"").count == Invariant.allCases.count + 1)
    }

    @Test("It needs nothing from elsewhere")
    func selfContained() throws {
        let html = ReportPage(try small().report()).html
        for part in ["http:", "https:", "src=", "href=", "@import", "url(h", "<link", "<img"] {
            #expect(!html.contains(part), "\(part)")
        }
        #expect(html.contains("default-src 'none'"))
        #expect(html.components(separatedBy: "<script").count == 3)
    }

    @Test("Values under the pointer are JSON, one for each part of each series")
    func values() throws {
        let report = try small().report()
        let page = ReportPage(report)
        let object = try JSONSerialization.jsonObject(with: Data(page.drawing.values.utf8)) as? [String: Any]
        let plots = try #require(object?["plots"] as? [[String: Any]])
        let times = try #require(object?["times"] as? [String])
        #expect(plots.count == 6)
        for plot in plots {
            for series in try #require(plot["series"] as? [[String: Any]]) {
                #expect((series["values"] as? [Any])?.count == times.count)
            }
        }
    }

    @Test("Nothing that a history says becomes markup")
    func hostile() throws {
        let evil = "</script></svg><script>alert(1)</script>\"'&\u{202e}\u{0}"
        var run = RunBuilder("a1", "b1")
        run.run(command: evil)
        run.fault(1, healed: 2, kind: evil, target: evil, what: evil)
        run.fault(1, healed: nil, kind: evil, target: evil, what: String(repeating: evil, count: 10_000))
        run.add(1, .node(.init(node: evil, readiness: .unready, reasons: [evil], connections: 1)))
        run.add(2, .misbehaved(what: evil))
        run.message(1, accepted: 2, applied: ["b1": 3])
        var verdict = HistoryVerdict()
        verdict.counts[.lost] = 1
        verdict.examples[.lost] = Violation(
            invariant: .lost, what: evil,
            evidence: [HistoryLine(name: evil, line: 1, at: 0, text: evil)])
        let html = ReportPage(try run.report(verdict)).html
        #expect(!html.contains("<script>alert") && HostileText.offences(in: html) == [])
        #expect(html.components(separatedBy: "<script").count == 3)
        #expect(html.components(separatedBy: "</script>").count == 3)
        #expect(html.components(separatedBy: "</svg>").count == 2)
        #expect(html.contains("&lt;script&gt;alert(1)"))
        #expect(html.utf8.count < 200_000)
    }

    @Test("A day with twenty thousand faults makes a page as small as any")
    func size() throws {
        var run = RunBuilder("a1", "b1")
        run.run()
        run.add(0, .stage(.load))
        for number in 0..<20_000 {
            let second = Double(number) * 4.3
            run.fault(second, healed: second + 2, kind: "kind-\(number % 30)", target: "n\(number % 16)")
        }
        for minute in 0..<1_440 {
            let second = Double(minute) * 60
            for node in 1...16 {
                run.add(
                    second,
                    .node(
                        .init(
                            node: "n\(node)", readiness: minute % 2 == 0 ? .ready : .unready,
                            reasons: ["reason \(minute)"], connections: minute, residentKiB: minute * 977,
                            descriptors: minute)))
            }
            run.message(second, accepted: second + 0.1, applied: ["b1": second + Double(minute % 50)])
        }
        let html = ReportPage(try run.report()).html
        #expect(html.utf8.count < 2_000_000, "\(html.utf8.count)")
        #expect(html.contains("19,800 more"))
    }

    @Test("A run of no length, and one of a single moment, make a page too")
    func tiny() throws {
        let empty = RunHistories(devices: [], cluster: ClusterHistory(records: []))
        let page = ReportPage(ChaosReport(empty, HistoryVerdict()))
        #expect(page.html.contains(">Inconclusive<") && page.html.contains("no message was accepted"))
        #expect(!page.html.contains("nan") && !page.html.contains("inf\""))
        var run = RunBuilder("a1", "b1")
        run.message(0, accepted: 0, applied: ["b1": 0])
        #expect(ReportPage(try run.report()).html.contains("Throughput"))
    }

    @Test("Backlog is what was accepted and not yet applied; what a paused device leaves lying is none")
    func backlog() throws {
        var run = small()
        run.add(2, .reading(false), to: "b1")
        run.add(6.5, .reading(true), to: "b1")
        let paused = try run.report()
        #expect(RunSeries(paused.histories, paused.flow).undelivered.max() == 0)
        let report = try small().report()
        let series = RunSeries(report.histories, report.flow)
        #expect(series.undelivered.max() == 1 && series.unsettled.max() == 1)
        #expect(series.accepted.reduce(0, +) * series.grid.secondsPerPart == 2)
        #expect(series.latency.compactMap { $0?.max }.max().map { $0.rounded() } == 2_200)
    }
}
