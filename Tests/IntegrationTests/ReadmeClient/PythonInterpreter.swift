import BatonTestKit
import Foundation

/// A Python that has the package `websockets`, as the README asks for.
struct PythonInterpreter {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let path: String

    /// The system's own where it has the package; else one that is made once, with pip, and kept.
    ///
    /// - `BATON_TEST_PYTHON`: the interpreter to take.
    /// - `BATON_TEST_CACHE`: where a made one is kept; otherwise `~/.cache/baton`.
    static func withWebSockets() throws -> PythonInterpreter {
        let environment = ProcessInfo.processInfo.environment
        if let path = environment["BATON_TEST_PYTHON"] {
            guard hasWebSockets(path) else {
                throw Missing(description: "BATON_TEST_PYTHON: \(path) cannot import websockets.sync.client")
            }
            return PythonInterpreter(path: path)
        }
        guard let system = find("python3", environment) else {
            throw Missing(
                description: "the README's client needs python3; on Debian: apt-get install python3 python3-venv")
        }
        if hasWebSockets(system) { return PythonInterpreter(path: system) }
        let cache = environment["BATON_TEST_CACHE"] ?? NSHomeDirectory() + "/.cache/baton"
        let folder = cache + "/python-websockets"
        if hasWebSockets(folder + "/bin/python") { return PythonInterpreter(path: folder + "/bin/python") }
        try make(folder, with: system)
        return PythonInterpreter(path: folder + "/bin/python")
    }

    /// Makes it beside its place and moves it there whole, so that a broken attempt is never taken for one.
    private static func make(_ folder: String, with system: String) throws {
        let files = FileManager.default
        let attempt = folder + "-\(UInt64.random(in: 1...UInt64.max))"
        defer { try? files.removeItem(atPath: attempt) }
        try files.createDirectory(
            at: URL(fileURLWithPath: folder).deletingLastPathComponent(), withIntermediateDirectories: true)
        let made = try run(system, ["-m", "venv", attempt])
        guard made.status == 0 else {
            throw Missing(
                description: "python3 -m venv failed; on Debian: apt-get install python3-venv. It said: \(made.output)")
        }
        let installed = try run(
            attempt + "/bin/python",
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "websockets"])
        guard installed.status == 0 else {
            throw Missing(
                description: """
                    pip install websockets failed: is there a network? BATON_TEST_PYTHON names a python3 that has it. \
                    It said: \(installed.output)
                    """)
        }
        try? files.removeItem(atPath: folder)
        try files.moveItem(atPath: attempt, toPath: folder)
    }

    private static func hasWebSockets(_ path: String) -> Bool {
        guard FileManager.default.isExecutableFile(atPath: path) else { return false }
        return (try? run(path, ["-c", "import websockets.sync.client"]).status) == 0
    }

    private static func find(_ program: String, _ environment: [String: String]) -> String? {
        (environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static func run(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        return (process.ended(), String(decoding: text.suffix(400), as: UTF8.self))
    }
}
