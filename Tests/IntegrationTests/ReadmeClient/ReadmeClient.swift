import BatonTestKit
import Foundation

/// One run of the README's client: what is typed goes in, frames come out.
final class ReadmeClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let input = Pipe()
    private let lines: AsyncStream<String>
    private let complaints: URL

    init(_ python: PythonInterpreter, in folder: URL, arguments: [String]) throws {
        let output = Pipe()
        complaints = folder.appendingPathComponent("complaints-\(UInt64.random(in: 1...UInt64.max))")
        _ = FileManager.default.createFile(atPath: complaints.path, contents: nil)
        process.executableURL = URL(fileURLWithPath: python.path)
        process.arguments = ["client.py"] + arguments
        process.currentDirectoryURL = folder
        process.standardInput = input
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: complaints)
        try process.run()
        lines = output.lines()
    }

    func type(_ line: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    /// The next frame of a kind that the client showed.
    func next(_ kind: String) async throws -> [String: Any] {
        for await line in lines {
            let frame = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            if let found = frame?[kind] as? [String: Any] { return found }
        }
        let complaint = (try? String(contentsOf: complaints, encoding: .utf8)) ?? ""
        throw Failure(description: "the client ended before it showed \(kind): \(complaint)")
    }

    /// The text of the next message of others; receipts on the way are passed over.
    func nextText() async throws -> String? {
        while true {
            guard let message = try await next("event")["message"] as? [String: Any] else { continue }
            return (message["content"] as? [String: Any])?["text"] as? String
        }
    }

    /// Kills it and waits until it is dead. Again: nothing.
    func stop() {
        guard process.isRunning else { return }
        // Not SIGTERM: a child inherits what the threads of this program block, and those of Dispatch block it.
        kill(process.processIdentifier, SIGKILL)
        process.ended()
    }
}
