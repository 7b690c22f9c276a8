import BatonTestKit
import Foundation

/// One run of the program, to its end.
struct BatonCommand {
    let status: Int32
    let output: String
    let errors: String

    /// What a command said with `--json`.
    var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
    }

    func rows(_ table: String) -> [[String: Any]] { object[table] as? [[String: Any]] ?? [] }

    static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> BatonCommand {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: try TestCluster.executable("baton"))
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Both pipes are small beside what a kernel keeps for them, so that nobody has to read meanwhile.
        let status = await process.end()
        return BatonCommand(
            status: status,
            output: String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self),
            errors: String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self))
    }
}
