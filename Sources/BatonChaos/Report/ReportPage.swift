import BatonHistory
import Foundation

/// A run as one page that needs nothing else: style, drawing and values are in it, and nothing is fetched.
///
/// Made from the histories alone, so that it can be made again later. Its size does not grow with the run.
package struct ReportPage: Sendable {
    let report: ChaosReport
    let drawing: TimelineDrawing

    /// Rows of the table of faults; beyond it those that took longest to recover are shown.
    static let mostFaults = 200
    /// Lines of one counter-example.
    private static let mostEvidence = 20

    package init(_ report: ChaosReport) {
        let histories = report.histories
        self.report = report
        drawing = TimelineDrawing(
            series: RunSeries(histories, report.flow), faults: report.faults, recovery: report.recovery,
            stages: (histories.cluster?.records ?? []).compactMap { record in
                if case .stage(let stage) = record.event { (stage, record.moment) } else { nil }
            })
    }

    /// Writes the page; what was there before is gone.
    package func write(to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(html.utf8).write(to: url, options: .atomic)
    }

    package var html: String {
        let title = "Baton chaos: \(report.outcome.rawValue)" + (report.run.map { ", seed \($0.seed)" } ?? "")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
            <title>\(Markup.text(title))</title>
            <style>
            \(ReportStyle.css)
            </style>
            </head>
            <body>
            <main class="\(report.outcome.rawValue)">
            \(banner)
            \(tiles)
            <h2>Timeline</h2>
            <div class="card">\(drawing.svg)</div>
            <p class="quiet">Times count from the beginning of the load. Each point stands for \
            \(Reading.duration(drawing.series.grid.width)); what is behind the plots in colour is when anything was \
            broken. Messages to devices that had stopped to read of their own accord are left out of latency and \
            backlog.</p>
            <h2>Faults</h2>
            \(faultTables)
            <h2>Invariants</h2>
            \(invariants)
            \(proofs)
            </main>
            <div id="readout"></div>
            <script type="application/json" id="values">\(drawing.values)</script>
            <script>
            \(ReportStyle.script)
            </script>
            </body>
            </html>

            """
    }

    // MARK: The verdict

    private var banner: String {
        let word =
            switch report.outcome {
            case .pass: "Pass"
            case .fail: "Broken"
            case .inconclusive: "Inconclusive"
            }
        var html = "<h1>Baton chaos run" + (report.run.map { " \u{b7} \(Self.date($0.began))" } ?? "") + "</h1>"
        html += "<div class=\"banner\"><div class=\"word\">\(word)</div>"
        html += "<p class=\"says\">\(Markup.text(report.sentence, limit: 600))</p>"
        if let run = report.run {
            html += "<div class=\"quiet\">Seed \(run.seed). The same run again:</div>"
            html += "<code class=\"again\">\(Markup.text(run.command, limit: 2_000))</code>"
        }
        return html + "</div>"
    }

    /// Date and time, as a file says it.
    private static func date(_ seconds: Int64) -> String {
        guard (0..<253_402_300_800).contains(seconds) else { return "no date" }
        return Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    }

    private var tiles: String {
        let verdict = report.verdict
        var tiles = [
            (
                Reading.count(verdict.accepted),
                report.run.map { "accepted of \(Reading.count($0.wanted)) wanted" } ?? "accepted"
            ),
            (Reading.count(verdict.delivered), "delivered to \(Reading.count(verdict.devices)) devices"),
            (Reading.count(report.faults.count), "faults"),
            (report.slowestRecovery.map(Reading.duration) ?? "-", "slowest recovery"),
        ]
        if let latency = report.latency {
            tiles.append((Reading.milliseconds(latency.p50), "latency p50"))
            tiles.append((Reading.milliseconds(latency.p99), "latency p99"))
        }
        tiles.append((Reading.count(report.reconnects), "reconnects"))
        return "<div class=\"tiles\">"
            + tiles.map { "<div class=\"tile\"><b>\(Markup.text($0))</b><span>\(Markup.text($1))</span></div>" }
            .joined()
            + "</div>"
    }

    // MARK: Invariants

    private var invariants: String {
        var rows = ""
        for invariant in Invariant.allCases {
            let count = report.verdict.count(invariant)
            let verdict =
                count == 0
                ? "<td class=\"ok\">\u{2713} holds</td>"
                : "<td class=\"bad\">\u{2717} broken \(Reading.count(count))\u{d7}</td>"
            rows +=
                "<tr>\(verdict)<td><code>\(invariant.rawValue)</code></td><td>\(Markup.text(invariant.sentence))</td></tr>"
        }
        return
            "<div class=\"card\"><table><tr><th>Verdict</th><th>Invariant</th><th>What it says</th></tr>\(rows)</table></div>"
    }

    private var proofs: String {
        Invariant.allCases.compactMap { report.verdict.examples[$0] }.map { example in
            var lines = ""
            for line in example.evidence.prefix(Self.mostEvidence) {
                lines += "<b>\(Markup.text(line.name)):\(line.line)</b>  \(Markup.text(line.text, limit: 2_000))\n"
            }
            return "<div class=\"proof\"><b>Not so: \(Markup.text(example.invariant.sentence)).</b>"
                + "<p>\(Markup.text(example.what, limit: 1_000))</p><pre>\(lines)</pre></div>"
        }.joined()
    }
}
