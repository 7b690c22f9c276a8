import Foundation

/// The end of a run: the verdict, and the numbers behind it.
package struct ChaosReport: Sendable {
    package enum Outcome: String, Sendable, Encodable {
        case pass, fail, inconclusive

        /// What the program exits with.
        package var exitCode: Int32 {
            switch self {
            case .pass: 0
            case .fail: 1
            case .inconclusive: 3
            }
        }
    }

    package let settings: ChaosSettings
    package let verdict: HistoryVerdict
    package let faults: [InjectedFault]
    /// What the cluster's processes did that they must not.
    package let misbehaviour: [String]
    package let reconnects: Int
    package let recovery: RecoveryTimes

    package var outcome: Outcome {
        if !verdict.isSound || !misbehaviour.isEmpty { return .fail }
        return weakness == nil ? .pass : .inconclusive
    }

    /// Why a run without a breach says nothing nevertheless.
    package var weakness: String? {
        let wanted = settings.rate * settings.seconds
        if faults.isEmpty { return "no fault happened: make the run longer, or --kill-every shorter" }
        if Double(verdict.accepted) < wanted * ChaosSettings.acceptedPart {
            return "only \(verdict.accepted) of \(Int(wanted)) messages were accepted: lower --rate, or give the "
                + "machine less else to do"
        }
        return nil
    }

    /// For people: a table, and a proof for each broken invariant.
    package var text: String {
        var lines = [
            row("accepted", "\(verdict.accepted) of \(Int(settings.rate * settings.seconds)) asked for"),
            row("delivered", "\(verdict.delivered) to other devices"),
            row("refused, unknown", "\(verdict.failed), \(verdict.unknown)"),
            row("faults", faultText), row("reconnects", "\(reconnects)"),
        ]
        for (kind, times) in recovery.kinds.sorted(by: { $0.key < $1.key }) {
            lines.append(row("slowest, \(kind)", "p50 \(Int(times.p50)) ms, max \(Int(times.max)) ms"))
        }
        lines.append(verdict.text)
        lines += misbehaviour.map { "BROKEN: \($0)" }
        if let weakness, outcome == .inconclusive { lines.append("inconclusive: \(weakness)") }
        return lines.joined(separator: "\n")
    }

    private var faultText: String {
        let counts = Dictionary(grouping: faults, by: \.kind).mapValues(\.count)
        let kinds = FaultKind.allCases.compactMap { kind in counts[kind].map { "\(kind.rawValue) \($0)" } }
        return "\(faults.count)" + (kinds.isEmpty ? "" : " (\(kinds.joined(separator: ", ")))")
    }

    private func row(_ name: String, _ value: String) -> String { HistoryVerdict.row(name, value) }

    /// One JSON object on one line.
    package var json: String {
        struct Line: Encodable {
            let verdict: String
            let accepted, delivered, lost, duplicated, reordered: Int
            let broken: [String: Int]
            let faults: Int
            let faultsByKind: [String: Int]
            let misbehaviour: [String]
            let reconnects: Int
            let failed, unknown: Int
            let recoveryMs: RecoveryTimes
            let seed: UInt64
            let seconds, rate: Double
            let nodes, users, devices: Int
            let reason: String?
        }
        return JSONLine.encode(
            Line(
                verdict: outcome.rawValue, accepted: verdict.accepted, delivered: verdict.delivered,
                lost: verdict.count(.lost), duplicated: verdict.count(.duplicated),
                reordered: verdict.count(.reordered), broken: verdict.brokenCounts, faults: faults.count,
                faultsByKind: Dictionary(grouping: faults, by: \.kind.rawValue).mapValues(\.count),
                misbehaviour: misbehaviour, reconnects: reconnects, failed: verdict.failed, unknown: verdict.unknown,
                recoveryMs: recovery, seed: settings.seed, seconds: settings.seconds, rate: settings.rate,
                nodes: settings.nodes, users: settings.users, devices: verdict.devices,
                reason: outcome == .inconclusive ? weakness : nil))
    }

    /// The last line of a run that could not be made.
    package static func json(failure: String, seed: UInt64) -> String {
        struct Line: Encodable {
            let verdict: String
            let reason: String
            let accepted, lost, duplicated, reordered, faults: Int
            let seed: UInt64
        }
        return JSONLine.encode(
            Line(
                verdict: Outcome.inconclusive.rawValue, reason: failure, accepted: 0, lost: 0, duplicated: 0,
                reordered: 0, faults: 0, seed: seed))
    }
}

/// Results for programs: the last line of what a command prints.
package enum JSONLine {
    package static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
