import Foundation

/// Another program that has a store's file open, as an operator's shell or a backup does. It needs python3.
public final class ForeignProgram: Sendable {
    /// What it holds until it is ended.
    public enum Hold: String, Sendable {
        /// The lock of those who write.
        case writing = "BEGIN IMMEDIATE"
        /// A state of the database, which is not forgotten meanwhile.
        case reading = "BEGIN"
    }

    /// What the program is needed for cannot be done.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let process: Process

    public var pid: Int32 { process.processIdentifier }

    /// Returns when it holds that.
    public init(_ hold: Hold, path: String) throws {
        let output = Pipe()
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, path, hold.rawValue]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard said.hasPrefix("held") else {
            kill(process.processIdentifier, SIGKILL)
            process.ended()
            throw Failure(description: "python3 with its module sqlite3 is needed; it said: \(said)")
        }
    }

    /// SIGKILL: the kernel gives back what it held.
    public func end() async {
        kill(process.processIdentifier, SIGKILL)
        _ = await process.end()
    }

    /// Writes so much into the database at once, and removes it again.
    public static func fill(path: String, megabytes: Int) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", filling, path, "\(megabytes)"]
        process.standardInput = FileHandle.nullDevice
        try process.run()
        guard await process.end() == 0 else { throw Failure(description: "python3 could not write to \(path)") }
    }

    private static let filling = """
        import sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
        db.execute("BEGIN IMMEDIATE")
        db.execute("CREATE TABLE ballast (bytes)")
        for _ in range(int(sys.argv[2])):
            db.execute("INSERT INTO ballast VALUES (randomblob(1048576))")
        db.execute("DROP TABLE ballast")
        db.execute("COMMIT")
        """

    private static let script = """
        import signal, sqlite3, sys
        db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
        db.execute(sys.argv[2])
        db.execute("SELECT count(*) FROM users").fetchall()
        print("held", flush=True)
        signal.pause()
        """
}
