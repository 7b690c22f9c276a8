import ArgumentParser
import BatonBench
import BatonClient
import Foundation

/// `baton bench`: drives a cluster with real clients and measures it.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures a cluster with real clients.",
        discussion: """
            Each pair is a sender on one node and a receiver on the next; messages are acknowledged and receipts come \
            back. A sender writes more than one user may: the nodes' limits of a user must be lifted, as ops/up does. \
            The last line is one JSON object. The exit status is 1 where anything accepted was lost, doubled or out of \
            order.
            """)

    @Option(help: "The nodes' own addresses, separated by commas.")
    var nodes: String

    @Option(help: "Pairs of users.") var pairs = 200
    @Option(help: "Messages that each sender keeps unaccepted.") var window = 16
    @Option(help: "Measured seconds.") var seconds = 15
    @Option(help: "Seconds before these.") var warmup = 2
    @Option(help: "Instead of a window: messages a second, of all pairs together.") var rate: Int?
    @Option(help: "Instead of messages: connections that only stay.") var idle: Int?
    @Flag(help: "Store messages for absent users, then let all come at once.") var offline = false
    @Option(help: "With --offline: messages stored for each.") var perUser = 100
    @Option(help: "Event loops of the generator.") var threads = 1
    @Option(help: "How the users' handles begin. The same prefix uses the same users again.") var prefix = "bench"
    @Option(help: "Further processes whose CPU counts: name=pid, separated by commas.") var pids: String?
    @Option(help: "Where Redis is asked for its memory: unix:///PATH or redis://127.0.0.1:PORT.") var redis: String?
    @Flag(help: "Only the JSON object.") var json = false

    func validate() throws {
        for (name, value) in [
            ("pairs", pairs), ("window", window), ("seconds", seconds), ("per-user", perUser), ("threads", threads),
            ("rate", rate ?? 1), ("idle", idle ?? 1),
        ] where value < 1 {
            throw ValidationError("--\(name) must be at least 1")
        }
        guard window <= 256 else { throw ValidationError("--window is at most 256") }
        guard [rate != nil, idle != nil, offline].filter(\.self).count <= 1 else {
            throw ValidationError("--rate, --idle and --offline exclude each other")
        }
        _ = try settings()
    }

    func run() async throws {
        let settings = try settings()
        let isQuiet = json
        let bench = Bench(settings) { line in
            if !isQuiet { Output.notice(line) }
        }
        let report = try await bench.measure()
        if !json { Output.line(table(report)) }
        try Output.object(report, isPretty: false)
        if !report.isClean { throw ExitCode.failure }
    }

    private func settings() throws -> BenchSettings {
        let addresses = try nodes.split(separator: ",").map { text in
            guard let address = RelayAddress(String(text)) else {
                throw ValidationError("\(text) is no address; http://HOST:PORT is")
            }
            return address
        }
        let workload: BenchSettings.Workload =
            if let idle {
                .idle(idle)
            } else if let rate {
                .rate(rate)
            } else if offline {
                .offline(perUser: perUser, window: window)
            } else {
                .window(window)
            }
        var settings = BenchSettings(nodes: addresses, workload: workload)
        settings.pairs = pairs
        settings.seconds = seconds
        settings.warmupSeconds = max(0, warmup)
        settings.threads = threads
        settings.prefix = prefix
        settings.processes = try processes()
        settings.redis = try redisPlace()
        return settings
    }

    private func processes() throws -> [String: Int32] {
        var processes: [String: Int32] = [:]
        for entry in (pids ?? "").split(separator: ",") {
            let parts = entry.split(separator: "=")
            guard parts.count == 2, let pid = Int32(parts[1]), pid > 0 else {
                throw ValidationError("--pids takes name=pid, not \(entry)")
            }
            processes[String(parts[0])] = pid
        }
        return processes
    }

    private func redisPlace() throws -> RedisPlace? {
        guard let redis else { return nil }
        guard let place = RedisPlace(redis) else {
            throw ValidationError("--redis takes unix:///PATH or redis://127.0.0.1:PORT, not \(redis)")
        }
        return place
    }

    private func table(_ report: BenchReport) -> String {
        var lines: [(String, String)] = [
            ("workload", "\(report.workload), \(report.pairs) pairs, \(Self.text(report.seconds)) s")
        ]
        if report.delivered > 0 { lines += messages(report) }
        if let stored = report.storedPerS { lines.append(("stored", "\(Self.text(stored))/s")) }
        if let drained = report.drainedPerS { lines.append(("drained", "\(Self.text(drained))/s")) }
        if let count = report.connections { lines.append(("connections", "\(count)")) }
        if let kib = report.nodeKibPerConnection { lines.append(("node KiB/connection", Self.text(kib))) }
        if let kib = report.redisKibPerConnection { lines.append(("Redis KiB/connection", Self.text(kib))) }
        if let count = report.heartbeatsAnswered { lines.append(("heartbeats answered", "\(count)")) }
        lines.append(("disconnected", "\(report.disconnected)"))
        let width = lines.map(\.0.count).max() ?? 0
        return lines.map { $0.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.1 }
            .joined(separator: "\n")
    }

    private func messages(_ report: BenchReport) -> [(String, String)] {
        var lines: [(String, String)] = [
            ("accepted", "\(Self.text(report.acceptedPerS))/s, \(report.accepted) in all"),
            ("delivered", "\(Self.text(report.deliveredPerS))/s, \(report.delivered) in all"),
            ("accept ms", Self.text(report.acceptMs)),
            ("end to end ms", Self.text(report.endToEndMs)),
        ]
        if report.cpuUsPerDelivered > 0 {
            lines.append(("server CPU us/message", Self.text(report.cpuUsPerDelivered)))
        }
        for (name, cpu) in report.cpuUsByProcess.sorted(by: { $0.key < $1.key }) {
            lines.append(("  \(name)", Self.text(cpu)))
        }
        lines.append(("client CPU us/message", Self.text(report.clientCpuUsPerDelivered)))
        lines.append(("rejected, receipts", "\(report.rejected), \(report.receipts)"))
        lines.append(
            ("lost, doubled, disordered", "\(report.lost), \(report.duplicated), \(report.reordered)"))
        return lines
    }

    private static func text(_ number: Double) -> String {
        number.formatted(.number.precision(.fractionLength(number < 100 ? 2 : 0)).grouping(.never))
    }

    private static func text(_ latency: BenchReport.Latency) -> String {
        "p50 \(text(latency.p50)), p99 \(text(latency.p99)), p99.9 \(text(latency.p999)), max \(text(latency.max))"
    }
}
