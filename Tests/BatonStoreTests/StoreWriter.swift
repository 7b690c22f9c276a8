import BatonCore
import Foundation

/// The process `store-writer`, which writes until it is killed.
struct StoreWriter {
    private let process = Process()
    private let output = Pipe()

    init(path: String, people: People, prefix: String) throws {
        process.executableURL = try Self.executable()
        process.arguments = [
            "write", path, "\(people.alice)", "\(people.device(of: people.alice))", "\(people.bob)", prefix,
        ]
        process.standardOutput = output
        try process.run()
    }

    /// Kills it without warning once it has printed so many lines, and returns all that it printed.
    func linesUntilKilled(after count: Int) async throws -> [String] {
        let handle = output.fileHandleForReading
        var data = Data()
        var isKilled = false
        while true {
            let chunk = handle.availableData
            if chunk.isEmpty { break }
            data.append(chunk)
            if !isKilled, data.count(where: { $0 == UInt8(ascii: "\n") }) >= count {
                kill(process.processIdentifier, SIGKILL)
                isKilled = true
            }
        }
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Built beside the tests.
    private static func executable() throws -> URL {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = own.deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent("store-writer")
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder = folder.deletingLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
