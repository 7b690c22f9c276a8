public import Foundation
import Synchronization

/// A real `redis-server` of a test's own: on a free loopback port, in a temporary directory, keeping nothing on disk.
///
///     let redis = try await RedisServerFixture.start()
///     defer { redis.stop() }
///     let url = redis.url           // redis://127.0.0.1:<port>/0
///     redis.kill()                  // kill -9
///     try await redis.restart()     // a new, empty one on the same port
///
/// It ends the process that it started and no other, at `stop()` or when it is released.
public final class RedisServerFixture: Sendable {
    /// What a test may want of its server besides the defaults.
    public struct Options: Sendable {
        /// Lines of configuration as on the command line, for example `["--requirepass", "secret"]`.
        public var arguments: [String] = []
        /// Answers on this port with TLS (and on no other), with `certificate` and `key`.
        public var tls: TLS?

        public struct TLS: Sendable {
            public let certificate: String
            public let key: String

            public init(certificate: String, key: String) {
                self.certificate = certificate
                self.key = key
            }
        }

        public init(arguments: [String] = [], tls: TLS? = nil) {
            self.arguments = arguments
            self.tls = tls
        }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    public let port: Int
    public let directory: URL
    private let options: Options
    private let process: Mutex<Process?>

    /// Starts a server and waits until it answers.
    ///
    /// - Throws: a sentence that says what to install where there is no `redis-server`.
    public static func start(_ options: Options = Options()) async throws -> RedisServerFixture {
        // Another process may take the free port before Redis does: then another one is tried.
        for _ in 0..<4 {
            let fixture = try RedisServerFixture(options: options)
            do {
                try await fixture.restart()
                return fixture
            } catch let failure as Failure where failure.description.contains("Address already in use") {
                fixture.stop()
            }
        }
        throw Failure(description: "no free port for redis-server was found")
    }

    private init(options: Options) throws {
        self.options = options
        port = try FreePort.find()
        process = Mutex(nil)
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("baton-redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        stop()
    }

    /// `redis://127.0.0.1:<port>/0`, or `rediss://` with TLS.
    public var url: String { "\(options.tls == nil ? "redis" : "rediss")://127.0.0.1:\(port)/0" }

    public var processIdentifier: Int32? { process.withLock { $0?.processIdentifier } }

    /// Starts the server again, empty, on the same port.
    public func restart() async throws {
        guard let executable = Self.executable else {
            throw Failure(description: "these tests need redis-server: install it with `apt-get install redis-server`")
        }
        let process = Process()
        process.executableURL = executable
        process.currentDirectoryURL = directory
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        // Only the server writes: its end is then the end of what can be read.
        try output.fileHandleForWriting.close()
        self.process.withLock { $0 = process }
        var said: [String] = []
        for await line in output.lines() {
            if line.contains("Ready to accept connections") { return }
            said = said.suffix(20) + [line]
        }
        throw Failure(description: "redis-server ended at once: \(said.joined(separator: "\n"))")
    }

    /// SIGKILL, and waits until it is gone.
    public func kill() {
        let process = process.withLock { process -> Process? in
            defer { process = nil }
            return process
        }
        guard let process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.ended()
    }

    /// SIGSTOP: sockets stay open and nobody answers.
    public func pause() { signal(SIGSTOP) }

    /// SIGCONT.
    public func resume() { signal(SIGCONT) }

    /// Ends the server and removes its directory. May be called again.
    public func stop() {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    private func signal(_ number: Int32) {
        if let processIdentifier { Foundation.kill(processIdentifier, number) }
    }

    private var arguments: [String] {
        var arguments = [
            "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "",
            "--hash-max-listpack-value", "192",
        ]
        if let tls = options.tls {
            arguments += [
                "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", tls.certificate, "--tls-key-file", tls.key,
                "--tls-auth-clients", "no", "--tls-ca-cert-file", tls.certificate,
            ]
        } else {
            arguments += ["--port", "\(port)"]
        }
        return arguments + options.arguments
    }

    private static let executable: URL? = {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/usr/local/bin"
        return path.split(separator: ":").map { URL(fileURLWithPath: "\($0)/redis-server") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }()
}
