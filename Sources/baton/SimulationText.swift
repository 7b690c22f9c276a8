import BatonSimulation
import Foundation
import Synchronization

/// How a simulation's outcome is told.
enum SimulationText {
    static func line(_ outcome: SimulationOutcome) -> String {
        let verdict =
            outcome.isSound
            ? "sound: \(outcome.accepted) accepted, \(outcome.applied) applied in "
                + "\(Double(outcome.virtualMilliseconds) / 1_000) virtual seconds"
            : outcome.failures.map { "\($0.name): \($0.what)" }.joined(separator: "\n  ")
        return """
            seed \(outcome.seed) (\(outcome.shape))
              \(verdict)
              again: baton simulate --seed \(outcome.seed)\(outcome.isSound ? " --steps" : "")
            """
    }

    static func summary(_ report: SimulationRun.Report) -> String {
        "\(report.schedules) schedules, \(report.virtualMilliseconds / 1_000) virtual seconds, \(report.accepted) "
            + "messages accepted and \(report.applied) applied, \(report.steps) steps at most: "
            + (report.failures.isEmpty ? "sound" : "\(report.failures.count) seeds failed")
    }

    static func json(_ outcomes: [SimulationOutcome]) -> String {
        var report = SimulationRun.Report()
        for outcome in outcomes { report.add(outcome) }
        return json(report)
    }

    static func json(_ report: SimulationRun.Report) -> String {
        struct Failure: Encodable {
            let seed: UInt64
            let invariants: [String]
        }
        struct Line: Encodable {
            let schedules: UInt64
            let virtualSeconds: Int64
            /// Of the longest.
            let steps: Int
            let accepted: Int
            let applied: Int
            let failures: [Failure]
        }
        let line = Line(
            schedules: report.schedules, virtualSeconds: report.virtualMilliseconds / 1_000,
            steps: report.steps, accepted: report.accepted, applied: report.applied,
            failures: report.failures.map { Failure(seed: $0.seed, invariants: $0.failures.map(\.name)) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return (try? encoder.encode(line)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

/// A line every few seconds, on standard error.
final class SimulationProgress: Sendable {
    private static let interval = Duration.seconds(5)
    private let began = ContinuousClock.now
    private let next = Mutex(ContinuousClock.now + interval)

    func told(_ report: SimulationRun.Report) {
        let now = ContinuousClock.now
        let isDue = next.withLock { next in
            guard now >= next else { return false }
            next = now + Self.interval
            return true
        }
        guard isDue else { return }
        let seconds = (now - began).components.seconds
        Output.notice("\(report.schedules) schedules in \(seconds) s, \(report.failures.count) failed")
    }
}

/// Makes hash tables the same in every process. Swift seeds them at random, which changes the order in which they are
/// gone through, and with it what a seed does.
enum DeterministicHashing {
    private static let variable = "SWIFT_DETERMINISTIC_HASHING"

    /// Starts this program anew, with the same arguments, unless the variable is set: it is read once, at the start.
    static func ensure() throws {
        guard ProcessInfo.processInfo.environment[variable] == nil else { return }
        setenv(variable, "1", 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
        throw CommandFailure("this program could not be started again: set \(variable)=1")
    }
}
