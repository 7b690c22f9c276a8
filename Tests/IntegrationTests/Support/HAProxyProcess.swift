import BatonTestKit
import Foundation
import NIOCore

/// A balancer before a node, with the configuration that `ops/up` writes.
struct HAProxyProcess {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    private let process: Process

    /// Returns when it passes requests on.
    static func start(before nodes: [Int], directory: String) async throws -> HAProxyProcess {
        let port = try FreePort.find()
        let file = directory + "/haproxy-\(port).cfg"
        try configuration(port: port, nodes: nodes).write(toFile: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = try executable()
        process.arguments = ["-db", "-f", file]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let balancer = HAProxyProcess(port: port, process: process)
        do {
            try await balancer.untilReady()
        } catch {
            await balancer.stop()
            throw error
        }
        return balancer
    }

    func stop() async {
        kill(process.processIdentifier, SIGKILL)
        _ = await process.end()
    }

    func connect() async throws -> RawConnection {
        try await RawConnection.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: port))
    }

    private func untilReady() async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(20)
        while clock.now < deadline {
            if let connection = try? await connect() {
                try await connection.send("GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if try await connection.lastAnswer().status == 200 { return }
            }
            try await clock.sleep(for: .milliseconds(50))
        }
        throw Failure(description: "the balancer has no node after 20 s")
    }

    private static func configuration(port: Int, nodes: [Int]) throws -> String {
        let library = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("ops/lib.sh")
        let ports = nodes.map { " \($0)" }.joined()
        let shell = Process()
        let output = Pipe()
        shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        shell.arguments = ["bash", "-c", "source '\(library.path)' && balancer_configuration \(port) 1000\(ports)"]
        shell.standardOutput = output
        try shell.run()
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        guard shell.ended() == 0 else { throw Failure(description: "ops/lib.sh makes no configuration") }
        return text
    }

    private static func executable() throws -> URL {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let found = (path.split(separator: ":") + ["/usr/sbin"]).map { URL(fileURLWithPath: "\($0)/haproxy") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let found else {
            throw Failure(description: "this test needs haproxy: install it with `apt-get install haproxy`")
        }
        return found
    }
}
