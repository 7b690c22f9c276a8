import BatonHistory
import Foundation

/// The report for programs.
extension ChaosReport {
    private struct Line: Encodable {
        struct Latency: Encodable {
            let p50, p99, max: Double
        }

        let verdict: String
        let accepted, delivered, lost, duplicated, reordered: Int
        let broken, invariants: [String: Int]
        let faults: Int
        let faultsByKind: [String: Int]
        let misbehaviour: [String]
        let reconnects, sent, failed, unknown, nodes, users, devices: Int
        let recoveryMs: [String: RecoveryTimes.Times]
        let latencyMs: Latency?
        let seconds: Double?
        let seed: UInt64?
        let reason, report: String?
    }

    /// One JSON object on one line.
    ///
    /// - Parameter page: where the page was written.
    package func json(page: String?) -> String {
        JSONLine.encode(
            Line(
                verdict: outcome.rawValue, accepted: verdict.accepted, delivered: verdict.delivered,
                lost: verdict.count(.lost), duplicated: verdict.count(.duplicated),
                reordered: verdict.count(.reordered), broken: verdict.brokenCounts,
                invariants: Dictionary(
                    uniqueKeysWithValues: Invariant.allCases.map { ($0.rawValue, verdict.count($0)) }),
                faults: faults.count, faultsByKind: recovery.kinds.mapValues(\.faults), misbehaviour: misbehaviour,
                reconnects: reconnects, sent: sent, failed: verdict.failed, unknown: verdict.unknown, nodes: nodes,
                users: users, devices: verdict.devices, recoveryMs: recovery.kinds,
                latencyMs: latency.map { Line.Latency(p50: $0.p50, p99: $0.p99, max: $0.max) }, seconds: seconds,
                seed: run?.seed, reason: outcome == .inconclusive ? weakness : nil, report: page))
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
                verdict: RunOutcome.inconclusive.rawValue, reason: failure, accepted: 0, lost: 0, duplicated: 0,
                reordered: 0, faults: 0, seed: seed))
    }
}
