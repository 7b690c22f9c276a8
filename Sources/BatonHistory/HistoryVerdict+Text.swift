/// The verdict for people and for programs.
extension HistoryVerdict {
    /// A line for each invariant, and a proof for each that is broken.
    package var text: String {
        var lines: [String] = []
        for invariant in Invariant.allCases {
            let count = count(invariant)
            lines.append(Self.row(invariant.rawValue, count == 0 ? "0" : "\(count)  BROKEN: \(invariant.sentence)"))
        }
        for invariant in Invariant.allCases {
            guard let example = examples[invariant] else { continue }
            lines.append("\nnot so: \(invariant.sentence)\n  \(example.what)")
            for line in example.evidence {
                lines.append("  \(line.name):\(line.line): \(line.text)")
            }
        }
        if let weakness, outcome == .inconclusive { lines.append("inconclusive: \(weakness)") }
        return lines.joined(separator: "\n")
    }

    /// How often each broken invariant was broken.
    package var brokenCounts: [String: Int] {
        Dictionary(uniqueKeysWithValues: counts.map { ($0.key.rawValue, $0.value) })
    }

    /// One JSON object on one line, for `baton chaos check`.
    package var json: String {
        struct Line: Encodable {
            let verdict: String
            let accepted, delivered, lost, duplicated, reordered, failed, unknown, devices: Int
            let broken: [String: Int]
            let reason: String?
        }
        return JSONLine.encode(
            Line(
                verdict: outcome.rawValue, accepted: accepted, delivered: delivered, lost: count(.lost),
                duplicated: count(.duplicated), reordered: count(.reordered), failed: failed, unknown: unknown,
                devices: devices, broken: brokenCounts, reason: outcome == .inconclusive ? weakness : nil))
    }

    static func row(_ name: String, _ value: String) -> String {
        let width = 22
        return "  \(name)\(String(repeating: " ", count: max(1, width - name.count)))\(value)"
    }
}
