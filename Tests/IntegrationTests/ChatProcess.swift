import BatonTestKit
import Foundation

/// `baton chat` in its line mode, as a script would run it.
final class ChatProcess: Sendable {
    private let input: FileHandle
    private let lines: AsyncStream<String>
    private let process = Process()

    init(program: URL, _ arguments: [String], state: URL) throws {
        process.executableURL = program
        process.arguments = ["chat"] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging([
            "XDG_STATE_HOME": state.path, "BATON_PASSWORD": "correct horse",
        ]) { $1 }
        let (inputs, outputs) = (Pipe(), Pipe())
        process.standardInput = inputs
        process.standardOutput = outputs
        process.standardError = FileHandle.nullDevice
        input = inputs.fileHandleForWriting

        try process.run()
        lines = outputs.lines()
    }

    func write(_ line: String) throws {
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Waits for one of some lines, passing over those before it; false where the output ends without it.
    func says(_ expected: String...) async -> Bool { await said(upTo: expected) != nil }

    /// Waits for one of some lines.
    ///
    /// - Returns: what was said until then, that line included; nil where the output ends without it.
    func said(upTo expected: [String]) async -> [String]? {
        var said: [String] = []
        for await line in lines {
            said.append(line)
            if expected.contains(line) { return said }
        }
        return nil
    }

    /// Everything that is still said, up to the end.
    func rest() async -> [String] {
        var rest: [String] = []
        for await line in lines { rest.append(line) }
        return rest
    }

    /// Ends the input, and waits for the exit status.
    func leave() async throws -> Int32 {
        try input.close()
        return await process.end()
    }
}
