import BatonCore
import BatonHistory

/// The report as tables for people.
extension ChaosReport {
    /// Tables of what happened and of what held, then a proof for each broken invariant, and the verdict.
    package var text: String {
        var lines = flowLines + [""] + faultLines + [""] + invariantLines
        lines += proofs
        lines += ["", "\(outcome.rawValue.uppercased()): \(sentence)"]
        if let run { lines.append("the same run again: \(run.command)") }
        return lines.joined(separator: "\n")
    }

    private var flowLines: [String] {
        var rows = [
            ["messages", "\(Reading.count(sent)) sent", "\(Reading.count(verdict.accepted)) accepted"],
            ["", "\(Reading.count(verdict.failed)) refused", "\(Reading.count(verdict.unknown)) unknown"],
            [
                "delivered", "\(Reading.count(verdict.delivered)) times",
                "to \(verdict.devices) devices of \(users) users",
            ],
        ]
        if let run { rows[0].append("\(Reading.count(run.wanted)) asked for") }
        if let seconds, seconds > 0 {
            rows.append([
                "throughput", "\(Reading.short(Double(verdict.accepted) / seconds))/s accepted",
                "\(Reading.short(Double(verdict.delivered) / seconds))/s delivered",
            ])
        }
        if let latency {
            rows.append([
                "latency", "p50 \(Reading.milliseconds(latency.p50))", "p99 \(Reading.milliseconds(latency.p99))",
                "max \(Reading.milliseconds(latency.max))",
            ])
        }
        rows.append(["reconnects", Reading.count(reconnects)])
        return TextTable(rows).lines
    }

    private var faultLines: [String] {
        var rows = [["FAULT", "COUNT", "RECOVERY P50", "MAX"]]
        for (kind, times) in recovery.kinds.sorted(by: { $0.key < $1.key }) {
            rows.append([
                kind, Reading.count(times.faults), times.p50.map(Reading.milliseconds) ?? "not mended",
                times.max.map(Reading.milliseconds) ?? "",
            ])
        }
        if faults.isEmpty { rows.append(["none"]) }
        return TextTable(rows, rightAligned: [1, 2, 3]).lines
    }

    private var invariantLines: [String] {
        var rows = [["INVARIANT", "VERDICT", "WHAT IT SAYS"]]
        for invariant in Invariant.allCases {
            let count = verdict.count(invariant)
            rows.append([invariant.rawValue, count == 0 ? "holds" : "BROKEN \(count)", invariant.sentence])
        }
        return TextTable(rows).lines
    }

    private var proofs: [String] {
        Invariant.allCases.compactMap { verdict.examples[$0] }.map { example in
            (["\nnot so: \(example.invariant.sentence)", "  \(PrintableText.escaped(example.what))"]
                + example.evidence.map { "  \($0.name):\($0.line): \(PrintableText.escaped($0.text))" })
                .joined(separator: "\n")
        }
    }
}

/// Rows whose columns are as wide as they must be.
struct TextTable: Sendable {
    let lines: [String]

    private static let indent = "  "

    init(_ cells: [[String]], rightAligned: Set<Int> = []) {
        let rows = cells.map { row in row.map { PrintableText.escaped($0) } }
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.enumerated() {
                if column == widths.count { widths.append(0) }
                widths[column] = max(widths[column], cell.count)
            }
        }
        lines = rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += Self.indent + (rightAligned.contains(column) ? padding + cell : cell + padding)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
