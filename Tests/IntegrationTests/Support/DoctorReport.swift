import Foundation

/// What `baton doctor --json` says.
struct DoctorReport: Decodable {
    struct Finding: Decodable {
        let check: String
        let result: String
        let found: String
        let change: String?
    }

    let findings: [Finding]

    subscript(check: String) -> Finding? { findings.first { $0.check == check } }

    /// Runs it. It ends with 1 where a finding is a failure.
    static func of(_ arguments: [String]) async throws -> (report: DoctorReport, status: Int32) {
        let run = try await BatonCommand.run(["doctor", "--json"] + arguments)
        return (try JSONDecoder().decode(DoctorReport.self, from: Data(run.output.utf8)), run.status)
    }
}
