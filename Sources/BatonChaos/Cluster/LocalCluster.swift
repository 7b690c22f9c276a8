import AsyncHTTPClient
import BatonBench
import BatonHistory
import Foundation
import NIOCore
import NIOHTTP1

/// A cluster of this machine's own: one Redis, one store, several nodes as processes, in a directory of its own.
///
/// Everything listens on loopback on free ports. `stop` ends exactly what `start` began.
package actor LocalCluster {
    package struct Settings: Sendable {
        package var nodes = 3
        /// The `baton` program.
        package var executable: String
        /// Another version of it, which the nodes begin with; nil: they begin with the same.
        package var firstExecutable: String?
        /// Where data and logs go; made where it is not there.
        package var directory: String
        /// Further `key=value` settings of each node.
        package var configuration: [String] = []
        /// Those of them that another version need not know: it would not start.
        package var ownConfiguration: [String] = []
        /// Whether clients reach nodes, and nodes Redis, through proxies that can break.
        package var isProxied = false
        /// The library that makes nodes see the faults of a host; nil: they see none.
        package var shim: String?
        /// Variables of each node besides this program's own.
        package var environment: [String: String] = [:]

        package init(executable: String, directory: String) {
            self.executable = executable
            self.directory = directory
        }

        /// For nodes whose clients are all a harness': passwords that cost little, no limits for the address that they
        /// share, and none for users who write as no person does.
        package mutating func admitHarness() {
            configuration += [
                "auth.argon2.memoryKiB=8192", "auth.argon2.iterations=1", "limits.registrationsPerAddress=1000000",
                "limits.loginsPerAddress=1000000",
            ]
            ownConfiguration += [
                "limits.messagesPerUser=1000000000", "limits.messageBytesPerUser=1000000000000",
                "limits.conversationsPerUser=1000000000", "limits.strangerMessagesPerUser=1000000000",
            ]
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let settings: Settings
    nonisolated let redisPort: Int
    private let ports: [Int]
    /// In front of each node; none where the cluster has no proxies.
    package nonisolated let clientProxies: [FaultProxy]
    /// Between each node and Redis.
    package nonisolated let redisProxies: [FaultProxy]
    /// Of each node; none without the shim.
    package private(set) var hosts: [HostFaults] = []
    private var redis: ServerProcess?
    private var nodes: [ServerProcess?]
    private let http = HTTPClient.shared

    /// Seconds that a server may take to become ready.
    private static let startSeconds = 60.0
    /// Seconds that a server may take to stop before it is killed.
    private static let stopSeconds = 20

    package init(_ settings: Settings) throws {
        self.settings = settings
        let count = settings.nodes
        let taken = try Self.freePorts(1 + count * (settings.isProxied ? 3 : 1))
        let (redisPort, ports) = (taken[0], Array(taken[1...count]))
        self.redisPort = redisPort
        self.ports = ports
        let proxied = settings.isProxied ? 0..<count : 0..<0
        clientProxies = proxied.map { FaultProxy(port: taken[1 + count + $0], to: ports[$0]) }
        redisProxies = proxied.map { FaultProxy(port: taken[1 + 2 * count + $0], to: redisPort) }
        nodes = Array(repeating: nil, count: settings.nodes)
    }

    /// The nodes' own addresses.
    package nonisolated var nodeURLs: [String] { ports.map { "http://127.0.0.1:\($0)" } }
    /// Where clients are to go: the nodes, or the proxies in front of them.
    package nonisolated var clientURLs: [String] {
        clientProxies.isEmpty ? nodeURLs : clientProxies.map { "http://127.0.0.1:\($0.port)" }
    }
    package nonisolated var redisURL: String { "redis://127.0.0.1:\(redisPort)" }
    package nonisolated var nodeCount: Int { ports.count }
    package nonisolated var storePath: String { settings.directory + "/baton.sqlite" }

    package var nodePIDs: [Int32?] { nodes.map { $0?.pid } }
    package var redisPID: Int32? { redis?.pid }

    // MARK: Start and stop

    package func start() async throws {
        try FileManager.default.createDirectory(atPath: settings.directory, withIntermediateDirectories: true)
        if settings.shim != nil {
            hosts = try ports.indices.map { try HostFaults(path: "\(settings.directory)/n\($0 + 1).faults") }
        }
        for proxy in clientProxies + redisProxies { try await proxy.start() }
        try await startRedis()
        for index in ports.indices { try startNode(index, executable: settings.firstExecutable) }
        for index in ports.indices { try await untilReady(index) }
    }

    /// Sends SIGTERM to the nodes, then to Redis. A process that has not ended in time is killed.
    package func stop() async {
        for node in nodes {
            node?.signal(SIGTERM)
            // One that is stopped hears nothing before it goes on.
            node?.signal(SIGCONT)
        }
        for node in nodes { await Self.end(node) }
        redis?.signal(SIGTERM)
        await Self.end(redis)
        for proxy in clientProxies + redisProxies { await proxy.stop() }
        nodes = nodes.map { _ in nil }
        redis = nil
    }

    private static func end(_ process: ServerProcess?) async {
        guard let process else { return }
        if await !process.ends(within: .seconds(stopSeconds)) { process.signal(SIGKILL) }
        await process.ended()
    }

    // MARK: Nodes

    /// - Parameters:
    ///   - executable: another `baton` program than the cluster's.
    ///   - environment: variables besides this program's own.
    package func startNode(
        _ index: Int, executable: String? = nil, environment: [String: String] = [:]
    ) throws {
        guard nodes[index]?.isRunning != true else { return }
        var arguments = ["node"]
        let own = executable == nil || executable == settings.executable ? settings.ownConfiguration : []
        for setting in configuration(of: index) + own { arguments += ["--set", setting] }
        nodes[index] = try ServerProcess(
            "n\(index + 1)", executable: executable ?? settings.executable, arguments: arguments,
            environment: settings.environment.merging(environment) { $1 }.merging(hostEnvironment(of: index)) { $1 },
            log: "\(settings.directory)/n\(index + 1).log")
    }

    private func hostEnvironment(of index: Int) -> [String: String] {
        guard let shim = settings.shim, hosts.indices.contains(index) else { return [:] }
        return hosts[index].environment(library: shim, files: storePath)
    }

    private func configuration(of index: Int) -> [String] {
        let redisPort = redisProxies.isEmpty ? redisPort : redisProxies[index].port
        return [
            "node.name=n\(index + 1)", "listen.port=\(ports[index])", "redis.url=redis://127.0.0.1:\(redisPort)/0",
            "store.path=\(storePath)", "auth.keysFile=\(settings.directory)/keys.json",
        ] + settings.configuration
    }

    /// SIGKILL, and waits until it is dead.
    package func killNode(_ index: Int) async { await nodes[index]?.killNow() }

    package func isNodeRunning(_ index: Int) -> Bool { nodes[index]?.isRunning ?? false }

    package func signalNode(_ index: Int, _ signal: Int32) { nodes[index]?.signal(signal) }

    /// The exit status of a node that was told to stop.
    package func nodeEnded(_ index: Int) async -> Int32? { await nodes[index]?.ended() }

    /// Whether a node ends by itself within some time.
    package func nodeEnds(_ index: Int, within limit: Duration) async -> Bool {
        await nodes[index]?.ends(within: limit) ?? true
    }

    /// Whether a node is the one that writes to the store at this moment, or has just been stopped while it did.
    package func isHoldingStore(_ index: Int) -> Bool {
        guard let pid = nodes[index]?.pid, let locks = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return false }
        var status = stat()
        guard stat(storePath + "-lock", &status) == 0 else { return false }
        return locks.split(separator: "\n").contains { line in
            // `3: FLOCK  ADVISORY  WRITE 4711 fe:00:123456 0 EOF`, but not `3: -> FLOCK ...`, which waits.
            let words = line.split(separator: " ")
            return words.count > 5 && words[1] == "FLOCK" && words[3] == "WRITE" && words[4] == "\(pid)"
                && words[5].hasSuffix(":\(status.st_ino)")
        }
    }

    /// Waits until a node says that it is ready, or that it serves with something missing.
    package func untilReady(_ index: Int) async throws {
        try await until("node n\(index + 1) is ready", process: nodes[index]) { [http, url = nodeURLs[index]] in
            let response = try await http.execute(HTTPClientRequest(url: url + "/health/ready"), timeout: .seconds(2))
            return response.status == .ok
        }
    }

    /// What a node says of itself: its `/health/ready`.
    package func health(of index: Int) async throws -> String {
        // On a connection of its own: one that was kept may be to a process that was killed meanwhile.
        var request = HTTPClientRequest(url: nodeURLs[index] + "/health/ready")
        request.headers.add(name: "Connection", value: "close")
        let response = try await http.execute(request, timeout: .seconds(2))
        return String(buffer: try await response.body.collect(upTo: 64 * 1024))
    }

    // MARK: Redis

    /// Starts Redis, empty or from what it held when it was last told to SAVE.
    package func startRedis(fromSnapshot: Bool = false) async throws {
        guard redis?.isRunning != true else { return }
        if !fromSnapshot { try? FileManager.default.removeItem(atPath: settings.directory + "/dump.rdb") }
        let process = try ServerProcess(
            "redis", executable: try Self.find("redis-server"),
            arguments: [
                "--port", "\(redisPort)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir",
                settings.directory, "--dbfilename", "dump.rdb", "--hash-max-listpack-value", "192",
            ], log: settings.directory + "/redis.log")
        redis = process
        let probe = RedisProbe(port: redisPort)
        try await until("Redis answers", process: process) { try await probe.run("PING") == "PONG" }
    }

    package func killRedis() async { await redis?.killNow() }

    package func emptyRedis() async throws { _ = try await RedisProbe(port: redisPort).run("FLUSHALL") }

    /// Runs one command and returns the reply's text: a status, a number or a bulk string.
    package func redis(_ command: String) async throws -> String { try await RedisProbe(port: redisPort).run(command) }

    // MARK: Helpers

    /// Asks until it is so, or the process has ended, or the time is up.
    private func until(
        _ what: String, process: ServerProcess?, _ isSo: @Sendable () async throws -> Bool
    ) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(Self.startSeconds)
        while clock.now < deadline {
            if let process, let status = process.status {
                let log = "\(settings.directory)/\(process.name).log"
                let lastLine = Self.lastLine(ofLog: log).map { ": \($0)" } ?? ""
                throw Failure(
                    description: "\(process.name) ended while it should start, with \(status)\(lastLine); see \(log)")
            }
            if (try? await isSo()) == true { return }
            try await clock.sleep(for: .milliseconds(50))
        }
        throw Failure(description: "\(what): not within \(Self.startSeconds) s; see the logs in \(settings.directory)")
    }

    /// What a program said last, which tells why it ended.
    private static func lastLine(ofLog path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return text.split(separator: "\n").last.map { String($0.prefix(500)) }
    }

    /// Ports that were free a moment ago.
    private static func freePorts(_ count: Int) throws -> [Int] {
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw Failure(description: "no socket to be had") }
            sockets.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
                }
            }
            guard isBound else { throw Failure(description: "no port to be had") }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }

    /// A program in the search path.
    private static func find(_ program: String) throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":") + ["/usr/bin", "/usr/local/bin"] {
            let candidate = "\(folder)/\(program)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw Failure(description: "\(program) is not installed; on Debian: apt-get install redis-server")
    }
}
