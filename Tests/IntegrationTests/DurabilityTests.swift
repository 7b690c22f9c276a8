import BatonBench
import BatonChaos
import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import BatonTestKit
import Foundation
import Testing

@Suite("What accepted means", .alone)
struct DurabilityTests {
    @Test(
        "The write-ahead log is synced before `accepted` leaves the node",
        .enabled(if: Tracer.isUsable, "strace is not installed, or this machine does not permit it"))
    func syncedBeforeAccepted() async throws {
        let trace = NSTemporaryDirectory() + "baton-trace-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: trace, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: trace) }
        let cluster = try await TestCluster.start(
            nodes: 1, executable: try Tracer.script(in: trace, around: TestCluster.executable("baton")))
        do {
            let alice = try await Person.join(cluster, through: [0])
            let bob = try await Person.join(cluster, through: [0])
            let (socket, _) = try await RelaySocket.greet(
                cluster.addresses([0])[0], token: alice.tokens.accessToken)
            let refs = (1...5).map { "durable-\($0)-\(alice.device)" }
            for ref in refs {
                try await socket.send("kept", ref: ref, to: bob.user.description)
                #expect(try await socket.accepted().ref == ref)
            }
            try await socket.close()
            await alice.close()
            await bob.close()
            await cluster.stop()
            let calls = try Tracer.calls(in: trace)
            for ref in refs { try Self.expectSync(of: ref, in: calls) }
        } catch {
            await cluster.stop()
            throw error
        }
    }

    /// The ref came in, then the log was written and synced, and only then the ref went out.
    private static func expectSync(of ref: String, in calls: [Tracer.Call]) throws {
        func place(_ what: String, after start: Int, _ fits: (Tracer.Call) -> Bool) throws -> Int {
            try #require(calls.indices.first { $0 > start && fits(calls[$0]) }, "\(ref): no \(what) in the trace")
        }
        let logged = try place("write of the log", after: -1) {
            $0.isWrite && $0.file.hasSuffix("-wal") && $0.text.contains(ref)
        }
        let synced = try place("sync of the log", after: logged) { $0.isSync && $0.file.hasSuffix("-wal") }
        let answered = try place("answer", after: -1) {
            $0.isWrite && $0.file.contains("socket") && $0.text.contains(ref)
        }
        #expect(synced < answered, "\(ref) was answered before the log was synced")
    }
}

/// strace around a node.
private enum Tracer {
    /// One system call as the trace tells it, in the order in which calls ended.
    struct Call {
        let name: String
        /// What the descriptor stands for.
        let file: String
        let text: String

        var isWrite: Bool { ["write", "writev", "pwrite64", "sendto", "sendmsg"].contains(name) }
        var isSync: Bool { ["fsync", "fdatasync"].contains(name) }
    }

    /// Whether a process can be traced here: containers often forbid it.
    static let isUsable: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["strace", "-f", "-o", "/dev/null", "true"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return (try? process.run()) != nil && process.ended() == 0
    }()

    /// A program that runs another under strace. The tracer is a process apart (`-D`), so that signals reach the node.
    static func script(in directory: String, around executable: String) throws -> String {
        let path = directory + "/baton"
        let text = """
            #!/bin/sh
            exec strace -D -f -y -s 65536 -e signal=none -e trace=write,writev,pwrite64,sendto,sendmsg,fsync,fdatasync \
            -o '\(directory)/trace' '\(executable)' "$@"

            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        return path
    }

    static func calls(in directory: String) throws -> [Call] {
        let text = try String(contentsOfFile: directory + "/trace", encoding: .utf8)
        // A call that another thread's interrupted stands in two lines: its words in the first, its end in the second.
        var unfinished: [Substring: Substring] = [:]
        return text.split(separator: "\n").compactMap { line in
            guard let blank = line.firstIndex(of: " ") else { return nil }
            let thread = line[..<blank]
            let rest = line[blank...].drop { $0 == " " }
            if rest.hasSuffix("<unfinished ...>") {
                unfinished[thread] = rest
                // What is sent is sent from here on, at the earliest; a sync is one when it ended.
                return Call(rest).flatMap { $0.isSync ? nil : $0 }
            }
            if rest.hasPrefix("<...") {
                return unfinished.removeValue(forKey: thread).flatMap { Call($0) }.flatMap { $0.isSync ? $0 : nil }
            }
            return Call(rest)
        }
    }
}

extension Tracer.Call {
    /// From `name(descriptor<file>, ...`.
    init?(_ line: Substring) {
        guard let parenthesis = line.firstIndex(of: "("), let open = line.firstIndex(of: "<"),
            let close = line[open...].firstIndex(of: ">"), parenthesis < open
        else { return nil }
        name = String(line[..<parenthesis])
        file = String(line[line.index(after: open)..<close])
        text = String(line[close...])
    }
}
