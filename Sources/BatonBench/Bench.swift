import AsyncHTTPClient
import BatonClient
import BatonCore
import Foundation
import Histogram
import NIOCore
import NIOPosix

/// Drives a cluster with real clients and measures it.
///
/// Pair `i` is a user on node `i` and one on node `i + 1`: each message crosses nodes. All clients of a pair live on
/// one event loop of this process, so that what was promised and what came is compared without locks.
package final class Bench: Sendable {
    /// Connections being made at once.
    private static let connecting = 64
    /// From the last send to the verdict, at most.
    private static let drainSeconds = 20.0
    /// Connections stay that long before their memory is read.
    private static let settleSeconds = 3.0

    private struct Reading: Sendable {
        let at: NIODeadline
        let counters: LoadShard.Counters
        let cpu: [String: Double]
        let ownCPU: Double
    }

    private let settings: BenchSettings
    private let group: MultiThreadedEventLoopGroup
    private let http: HTTPClient
    private let progress: @Sendable (String) -> Void
    /// Marks this run's refs.
    private let run: String

    package init(_ settings: BenchSettings, progress: @escaping @Sendable (String) -> Void) {
        self.settings = settings
        self.progress = progress
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, settings.threads))
        http = HTTPClient(eventLoopGroupProvider: .shared(group))
        run = String(DeviceID(rawValue: .random(in: 1...UInt64.max)).description.suffix(8))
    }

    /// Measures; whatever happens, users are logged out and connections closed.
    package func measure() async throws -> BenchReport {
        ProcessProbe.raiseOpenFileLimit()
        let result: Result<BenchReport, any Error>
        do {
            result = .success(try await measureWorkload())
        } catch {
            result = .failure(error)
        }
        try await http.shutdown()
        try await group.shutdownGracefully()
        return try result.get()
    }

    private func measureWorkload() async throws -> BenchReport {
        guard !settings.nodes.isEmpty else { throw BenchError("there is no node to measure") }
        let processes = try await findProcesses()
        let accounts = LoadAccounts(
            rest: RelayREST(http: http, on: group.next(), addresses: settings.nodes), prefix: settings.prefix,
            password: settings.password, progress: progress)
        let tokens = try await accounts.logIn(userCount)
        var shards: [NIOLoopBound<LoadShard>] = []
        for _ in 0..<max(1, settings.threads) {
            let loop = group.next()
            shards.append(try await loop.submit { NIOLoopBound(LoadShard(on: loop), eventLoop: loop) }.get())
        }
        let result: Result<BenchReport, any Error>
        do {
            result = .success(try await drive(shards, tokens, processes))
        } catch {
            result = .failure(error)
        }
        try await accounts.logOut(tokens)
        return try result.get()
    }

    private var userCount: Int {
        if case .idle(let count) = settings.workload { count } else { settings.pairs * 2 }
    }

    private func drive(
        _ shards: [NIOLoopBound<LoadShard>], _ tokens: [Tokens], _ processes: [ProcessProbe]
    ) async throws -> BenchReport {
        switch settings.workload {
        case .window(let window):
            try await connectPairs(shards, tokens)
            return try await steady("window \(window)", shards, processes) { $0.sendByWindow(window) }
        case .rate(let rate):
            try await connectPairs(shards, tokens)
            let share = Double(rate) / Double(shards.count)
            return try await steady("\(rate)/s", shards, processes) { $0.send(perSecond: share) }
        case .idle(let count): return try await idle(count, shards, tokens, processes)
        case .offline(let perUser, let window):
            return try await offline(perUser, window, shards, tokens, processes)
        }
    }

    // MARK: Workloads

    private func steady(
        _ name: String, _ shards: [NIOLoopBound<LoadShard>], _ processes: [ProcessProbe],
        _ start: @escaping @Sendable (LoadShard) -> Void
    ) async throws -> BenchReport {
        try await on(shards, start)
        progress("warming up for \(settings.warmupSeconds) s")
        try await pause(Double(settings.warmupSeconds))
        try await on(shards) { $0.beginMeasuring() }
        let before = try await read(shards, processes)
        progress("measuring for \(settings.seconds) s")
        try await pause(Double(settings.seconds))
        let after = try await read(shards, processes)
        try await on(shards) {
            $0.endMeasuring()
            $0.stopSending()
        }
        return try await report(name, shards, from: before, to: after)
    }

    private func idle(
        _ count: Int, _ shards: [NIOLoopBound<LoadShard>], _ tokens: [Tokens], _ processes: [ProcessProbe]
    ) async throws -> BenchReport {
        let nodes = processes.filter { $0.name != Self.redisName }
        let before = (nodes.compactMap(\.residentKiB).reduce(0, +), try await redisKiB(processes))
        let reading = try await read(shards, processes)
        try await connect(
            (0..<count).map { Seat(tokens: tokens[$0], node: $0, pair: $0, receiver: nil, isIdle: true) }, shards)
        try await pause(Self.settleSeconds)
        let after = (nodes.compactMap(\.residentKiB).reduce(0, +), try await redisKiB(processes))
        progress("holding \(count) connections for \(settings.seconds) s")
        try await pause(Double(settings.seconds))
        var report = try await report(
            "\(count) idle", shards, from: reading, to: try await read(shards, processes))
        report.connections = count
        report.nodeKibPerConnection = nodes.isEmpty ? nil : (after.0 - before.0) / Double(max(1, count))
        if let (old, new) = before.1.flatMap({ old in after.1.map { (old, $0) } }) {
            report.redisKibPerConnection = (new - old) / Double(max(1, count))
        }
        report.heartbeatsAnswered = try await counters(shards).heartbeats
        return report
    }

    private func offline(
        _ perUser: Int, _ window: Int, _ shards: [NIOLoopBound<LoadShard>], _ tokens: [Tokens],
        _ processes: [ProcessProbe]
    ) async throws -> BenchReport {
        let total = perUser * settings.pairs
        try await connect(seats(tokens).filter { $0.receiver != nil }, shards)
        progress("storing \(total) messages for \(settings.pairs) absent users")
        let began = NIODeadline.now()
        try await on(shards) {
            $0.beginMeasuring()
            $0.sendByWindow(window, quota: perUser)
        }
        try await until(seconds: 600) {
            let counters = try await self.counters(shards)
            return counters.accepted + counters.rejected >= total
        }
        let stored = NIODeadline.now() - began
        try await on(shards) { $0.stopSending() }

        progress("all \(settings.pairs) users come at once")
        let before = try await read(shards, processes)
        try await connect(seats(tokens).filter { $0.receiver == nil }, shards)
        let accepted = before.counters.accepted
        try await until(seconds: 600) { try await self.counters(shards).delivered >= accepted }
        let after = try await read(shards, processes)
        var report = try await report("offline \(perUser) each", shards, from: before, to: after)
        report.accepted = accepted
        report.storedPerS = Double(accepted) * 1e9 / Double(stored.nanoseconds)
        report.drainedPerS = report.deliveredPerS
        report.acceptedPerS = report.storedPerS ?? 0
        return report
    }

    // MARK: Connections

    /// One client of the load.
    private struct Seat: Sendable {
        let tokens: Tokens
        /// Which node, counted around.
        let node: Int
        let pair: Int
        /// Whom a sender writes to.
        let receiver: UserID?
        let isIdle: Bool
    }

    /// User `2 i` sends to user `2 i + 1`, on the next node.
    private func seats(_ tokens: [Tokens]) -> [Seat] {
        (0..<settings.pairs).flatMap { pair in
            let (sender, receiver) = (tokens[2 * pair], tokens[2 * pair + 1])
            return [
                Seat(tokens: receiver, node: pair + 1, pair: pair, receiver: nil, isIdle: false),
                Seat(tokens: sender, node: pair, pair: pair, receiver: receiver.user, isIdle: false),
            ]
        }
    }

    private func connectPairs(_ shards: [NIOLoopBound<LoadShard>], _ tokens: [Tokens]) async throws {
        try await connect(seats(tokens), shards)
    }

    private func connect(_ seats: [Seat], _ shards: [NIOLoopBound<LoadShard>]) async throws {
        progress("connecting \(seats.count) clients")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, seat) in seats.enumerated() {
                if index >= Self.connecting { try await group.next() }
                group.addTask { try await self.connect(seat, shards[seat.pair % shards.count]) }
            }
            try await group.waitForAll()
        }
    }

    private func connect(_ seat: Seat, _ shard: NIOLoopBound<LoadShard>) async throws {
        let loop = shard.eventLoop
        let template = try seat.receiver.map { try SendTemplate(to: $0, run: run) }
        let ready = loop.makePromise(of: Void.self)
        let address = settings.nodes[seat.node % settings.nodes.count]
        let isIdle = seat.isIdle
        do {
            _ = try await RelayConnector(on: loop, tls: nil).connect(
                to: address, accessToken: seat.tokens.accessToken
            ) {
                let shard = shard.value
                if !isIdle, shard.ledgers[seat.pair] == nil { shard.ledgers[seat.pair] = PairLedger() }
                let role: LoadConnection.Role =
                    if let template { .sender(template) } else if isIdle { .idle } else { .receiver }
                return LoadConnection(
                    shard: shard, user: seat.tokens.user, pair: seat.pair, role: role, ready: ready)
            }.get()
        } catch {
            ready.fail(error)
        }
        try await ready.futureResult.get()
    }

    // MARK: Readings

    private static let redisName = "redis"
    /// Within which a node must say that it is there.
    private static let answerSeconds: Int64 = 5

    /// The processes that the nodes tell of, and those that were named.
    private func findProcesses() async throws -> [ProcessProbe] {
        struct Health: Decodable {
            let node: String?
            let pid: Int32?
            let redisPID: Int32?

            private enum CodingKeys: String, CodingKey {
                case node, pid
                case redisPID = "redis_pid"
            }
        }
        var found = settings.processes
        for address in settings.nodes {
            let response: HTTPClient.Response
            do {
                let deadline = NIODeadline.now() + .seconds(Self.answerSeconds)
                response = try await http.get(url: "\(address)/health/ready", deadline: deadline).get()
            } catch {
                throw BenchError("\(address) does not answer (\(error)); ops/up starts a cluster")
            }
            guard let body = response.body,
                let health = try? JSONDecoder().decode(Health.self, from: Data(body.readableBytesView))
            else { continue }
            if let pid = health.pid { found[health.node ?? "\(address)"] = pid }
            if let pid = health.redisPID { found[Self.redisName] = pid }
        }
        // Several names of one process would count it twice.
        var seen: Set<Int32> = []
        return found.sorted { $0.key < $1.key }.compactMap { name, pid in
            seen.insert(pid).inserted ? ProcessProbe(name: name, pid: pid) : nil
        }
    }

    /// What Redis says that it uses; where it may not be asked, what its process has resident.
    private func redisKiB(_ processes: [ProcessProbe]) async throws -> Double? {
        guard let place = settings.redis else {
            return processes.first { $0.name == Self.redisName }?.residentKiB
        }
        let info = try await RedisProbe(place).run("INFO memory")
        let line = info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("used_memory:") }
        return line.flatMap { Double($0.dropFirst("used_memory:".count)) }.map { $0 / 1024 }
    }

    private func read(_ shards: [NIOLoopBound<LoadShard>], _ processes: [ProcessProbe]) async throws -> Reading {
        var cpu: [String: Double] = [:]
        for process in processes { cpu[process.name] = process.cpuMicroseconds }
        let own = ProcessProbe.ownCPUMicroseconds
        return Reading(at: .now(), counters: try await counters(shards), cpu: cpu, ownCPU: own)
    }

    private func counters(_ shards: [NIOLoopBound<LoadShard>]) async throws -> LoadShard.Counters {
        try await on(shards) { $0.counters }.reduce(LoadShard.Counters(), +)
    }

    /// Waits for what is under way, then compares promises and deliveries.
    private func report(
        _ name: String, _ shards: [NIOLoopBound<LoadShard>], from before: Reading, to after: Reading
    ) async throws -> BenchReport {
        try await until(seconds: Self.drainSeconds, isRequired: false) {
            try await self.on(shards) { $0.isSettled }.allSatisfy { $0 }
        }
        var report = BenchReport(workload: name, pairs: settings.pairs)
        let total = try await counters(shards)
        let delivered = Double(after.counters.delivered - before.counters.delivered)
        report.seconds = Double((after.at - before.at).nanoseconds) / 1e9
        report.accepted = total.accepted
        report.delivered = total.delivered
        report.rejected = total.rejected
        report.receipts = total.receipts
        report.disconnected = total.disconnected
        report.acceptedPerS = Double(after.counters.accepted - before.counters.accepted) / report.seconds
        report.deliveredPerS = Double(after.counters.delivered - before.counters.delivered) / report.seconds
        for (name, cpu) in after.cpu where delivered > 0 {
            if let old = before.cpu[name] { report.cpuUsByProcess[name] = (cpu - old) / delivered }
        }
        report.cpuUsPerDelivered = report.cpuUsByProcess.values.reduce(0, +)
        if delivered > 0 { report.clientCpuUsPerDelivered = (after.ownCPU - before.ownCPU) / delivered }
        let measured = try await on(shards) { ($0.acceptLatency, $0.endToEndLatency, $0.verdict) }
        guard var (accept, endToEnd, _) = measured.first else { return report }
        for (otherAccept, otherEndToEnd, _) in measured.dropFirst() {
            accept.add(otherAccept)
            endToEnd.add(otherEndToEnd)
        }
        report.acceptMs = .init(accept)
        report.endToEndMs = .init(endToEnd)
        report.lost = measured.map(\.2.lost).reduce(0, +)
        report.duplicated = measured.map(\.2.duplicated).reduce(0, +)
        report.reordered = measured.map(\.2.reordered).reduce(0, +) + total.gaps
        return report
    }

    // MARK: Waiting

    @discardableResult
    private func on<Result: Sendable>(
        _ shards: [NIOLoopBound<LoadShard>], _ body: @escaping @Sendable (LoadShard) -> Result
    ) async throws -> [Result] {
        var results: [Result] = []
        for shard in shards { results.append(try await shard.eventLoop.submit { body(shard.value) }.get()) }
        return results
    }

    private func pause(_ seconds: Double) async throws {
        try await ContinuousClock().sleep(for: .seconds(seconds))
    }

    private func until(
        seconds: Double, isRequired: Bool = true, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try await !condition() {
            guard ContinuousClock.now < deadline else {
                if isRequired { throw BenchError("not done within \(Int(seconds)) s") }
                return
            }
            try await ContinuousClock().sleep(for: .milliseconds(5))
        }
    }
}
