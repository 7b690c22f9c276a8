import BatonCore

/// What `baton doctor` found: one finding a check, with the line to change where something is not as it should be.
package struct Diagnosis: Sendable, Encodable {
    package enum Result: String, Sendable, Encodable {
        case ok
        /// It runs, and will hurt some day.
        case warning
        /// A promise is broken, or the node does not start.
        case failure
    }

    package struct Finding: Sendable, Hashable, Encodable {
        package let check: String
        package let result: Result
        /// What is the case.
        package let found: String
        /// What to write where; nil where nothing is to be done.
        package let change: String?

        static func ok(_ check: String, _ found: String) -> Finding {
            Finding(check: check, result: .ok, found: found, change: nil)
        }

        static func warning(_ check: String, _ found: String, change: String?) -> Finding {
            Finding(check: check, result: .warning, found: found, change: change)
        }

        static func failure(_ check: String, _ found: String, change: String?) -> Finding {
            Finding(check: check, result: .failure, found: found, change: change)
        }
    }

    package internal(set) var findings: [Finding] = []

    package var isHealthy: Bool { !findings.contains { $0.result == .failure } }

    /// A line a check, and below it what to change.
    package func text() -> String {
        let width = findings.map(\.check.count).max() ?? 0
        return findings.map { finding in
            let check = finding.check + String(repeating: " ", count: width - finding.check.count)
            let change = finding.change.map { "         -> \(PrintableText.escaped($0))\n" } ?? ""
            return "\(finding.result.sign)  \(check)  \(PrintableText.escaped(finding.found))\n\(change)"
        }.joined()
    }
}

extension Diagnosis.Result {
    fileprivate var sign: String {
        switch self {
        case .ok: "ok     "
        case .warning: "warning"
        case .failure: "FAILURE"
        }
    }
}
