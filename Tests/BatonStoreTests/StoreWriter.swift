import BatonCore
import BatonTestKit
import Foundation

/// The process `store-writer`, which writes until it is killed.
final class StoreWriter {
    private let process = Process()
    private let output = Pipe()
    private var data = Data()

    /// - Parameter retries: whether it tries again what the store could not do, or ends.
    init(
        path: String, people: People, prefix: String, retries: Bool = false, environment: [String: String] = [:]
    ) throws {
        process.executableURL = try Self.executable()
        process.arguments =
            [
                "write", path, "\(people.alice)", "\(people.device(of: people.alice))", "\(people.bob)", prefix,
            ] + (retries ? ["retry"] : [])
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        try process.run()
    }

    /// Reads until it has printed so many lines in all, or has ended.
    ///
    /// - Returns: whether it has printed them.
    @discardableResult
    func prints(_ count: Int) -> Bool {
        while data.count(where: { $0 == UInt8(ascii: "\n") }) < count {
            let chunk = output.fileHandleForReading.availableData
            if chunk.isEmpty { return false }
            data.append(chunk)
        }
        return true
    }

    /// Kills it without warning, and returns all that it printed: each ref that was accepted, with its sequence.
    func killed() -> [String: String] {
        kill(process.processIdentifier, SIGKILL)
        return ended()
    }

    /// Waits for its end.
    func ended() -> [String: String] {
        prints(.max)
        process.ended()
        var accepted: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 2 { accepted[words[0]] = words[1] }
        }
        return accepted
    }

    /// Built beside the tests.
    static func executable(_ name: String = "store-writer") throws -> URL {
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = own.deletingLastPathComponent()
        for _ in 0..<4 {
            let candidate = folder.appendingPathComponent(name)
            if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
            folder = folder.deletingLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
