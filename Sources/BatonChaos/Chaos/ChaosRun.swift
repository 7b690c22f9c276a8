import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import Foundation
import Logging

/// A whole run: a cluster of its own, devices under load, faults, healing, and the verdict of their histories.
///
/// Whatever happens, cancellation included, the processes that it started are gone when `run` returns.
package struct ChaosRun: Sendable {
    private let settings: ChaosSettings
    private let console: ChaosConsole
    private let began = ContinuousClock.now
    private let progress: ChaosProgress

    /// Clients that register and log in at the same time.
    private static let setupsAtOnce = 4
    private static let connectSeconds = 30

    package init(_ settings: ChaosSettings, console: ChaosConsole) {
        self.settings = settings
        self.console = console
        progress = ChaosProgress(began: began)
    }

    package func run() async throws -> ChaosReport {
        try FileManager.default.createDirectory(
            atPath: settings.historyDirectory, withIntermediateDirectories: true)
        var cluster = LocalCluster.Settings(executable: settings.executable, directory: settings.directory)
        cluster.nodes = settings.nodes
        cluster.environment = settings.environment
        cluster.admitHarness()
        cluster.configuration.append("log.level=warning")
        // A store is taken to a newer version, and not back.
        if settings.faults.kinds.contains(.mixed) { cluster.firstExecutable = settings.otherExecutable }
        cluster.isProxied = true
        cluster.shim = settings.shim
        let local = try LocalCluster(cluster)
        let history = try HistoryFile(
            path: "\(settings.historyDirectory)/\(ClusterHistory.fileName)", began: began)
        history.append(
            .run(
                ClusterRecord.Run(
                    seed: settings.seed, command: settings.command, wanted: settings.wanted,
                    began: Int64(Date.now.timeIntervalSince1970))))
        do {
            let report = try await ClusterSampler(local, record: { history.append($0) }).during {
                try await run(on: local, history)
            }
            await local.stop()
            return report
        } catch {
            await local.stop()
            throw error
        }
    }

    /// - Parameter history: the harness' own, to which everybody who acts on the cluster or looks at it appends.
    private func run(on cluster: LocalCluster, _ history: HistoryFile) async throws -> ChaosReport {
        console.stage("starting Redis and \(settings.nodes) nodes in \(settings.directory)")
        try await cluster.start()
        console.stage("registering \(settings.users) users with \(settings.devices) devices")
        let devices = try await makeDevices(cluster.clientURLs.compactMap { RelayAddress($0) })
        do {
            let report = try await run(devices, on: cluster, history)
            return report
        } catch {
            for device in devices { await device.client.close() }
            throw error
        }
    }

    private func run(
        _ devices: [ChaosDevice], on cluster: LocalCluster, _ history: HistoryFile
    ) async throws -> ChaosReport {
        let injector = FaultInjector(
            cluster: cluster, settings: settings, progress: progress, console: console, history: history)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for device in devices {
                group.addTask { await device.apply() }
                group.addTask { await device.watchConnection() }
                try await device.client.connect()
            }
            guard await progress.reached(.connected, within: .seconds(Self.connectSeconds)) else {
                throw ChaosFailure(
                    "only \(devices.count - progress.counts.offline) of \(devices.count) devices came online within "
                        + "\(Self.connectSeconds) s; the nodes' logs in \(settings.directory) say why")
            }
            let numbers = try await greet(devices)
            history.append(.stage(.baseline))
            try await ContinuousClock().sleep(for: .seconds(settings.quietSeconds))
            history.append(.stage(.load))
            console.stage("load and faults for \(Int(settings.seconds)) s, seed \(settings.seed)")
            try await loadAndFaults(devices, after: numbers, injector)
            history.append(.stage(.heal))
            if try await settle(devices, injector) { history.append(.stage(.settled)) }
            for device in devices { await device.askUnread() }
            try await ContinuousClock().sleep(for: .seconds(settings.quietSeconds))
            history.append(.stage(.end))
            for device in devices { await device.client.close() }
            try await group.waitForAll()
        }
        for device in devices { try device.journal.close() }
        for what in await injector.misbehaviour { history.append(.misbehaved(what: what)) }
        try history.close()
        console.stage("reading \(devices.count) histories")
        let histories = try RunHistories(paths: devices.map(\.history.path) + [history.path])
        return ChaosReport(
            histories, HistoryChecker.check(histories.devices, cluster: histories.cluster))
    }

    // MARK: Stages

    /// Everybody writes to their peers once, since only those who know each other see each other's presence, and
    /// looks at them from then on.
    ///
    /// - Returns: how many messages each device has sent.
    private func greet(_ devices: [ChaosDevice]) async throws -> [UInt64] {
        var numbers: [UInt64] = []
        for device in devices { numbers.append(device.index < settings.users ? await device.greet() : 0) }
        let estranged = await becomeAcquainted(devices, &numbers)
        guard await progress.reached(.answered, within: .seconds(Self.connectSeconds)) else {
            throw ChaosFailure(
                "the first messages were not accepted within \(Self.connectSeconds) s; the nodes' logs in "
                    + "\(settings.directory) say why")
        }
        // Whether they arrive is for the checker to say.
        _ = await progress.reached(.delivered, within: .seconds(settings.quietSeconds))
        for device in devices { await device.client.watch(device.peers) }
        if let (device, other) = estranged {
            try await device.client.block(other)
            device.history.append(.blocked(user: other.description))
        }
        return numbers
    }

    /// Two users who do not write to each other otherwise do so once, before one of them blocks the other: from then on
    /// neither is shown that the other types.
    ///
    /// - Returns: one of the first user's devices, and whom it is to block; nil where all write to all.
    private func becomeAcquainted(
        _ devices: [ChaosDevice], _ numbers: inout [UInt64]
    ) async -> (ChaosDevice, UserID)? {
        guard let one = devices.first,
            let other = devices.prefix(settings.users).first(where: {
                $0.user != one.user && !one.peers.contains($0.user)
            })
        else { return nil }
        for (sender, recipient) in [(one, other), (other, one)] {
            numbers[sender.index] += 1
            await sender.send(numbers[sender.index], to: recipient.user)
        }
        return (one, other.user)
    }

    /// - Parameter numbers: how many messages each device has sent before.
    private func loadAndFaults(
        _ devices: [ChaosDevice], after numbers: [UInt64], _ injector: FaultInjector
    ) async throws {
        let rate = settings.rate / Double(devices.count)
        let seed = SeededGenerator(seed: settings.seed)
        let (seconds, start) = (settings.seconds, ContinuousClock.now)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (device, number) in zip(devices, numbers) {
                let generator = seed.fork(1_000 + UInt64(device.index))
                group.addTask {
                    try await device.act(after: number, perSecond: rate, for: seconds, using: generator)
                }
            }
            for fault in ChaosPlan.faults(settings) {
                group.addTask {
                    try await ContinuousClock().sleep(until: start + .seconds(fault.at))
                    try await injector.inject(fault, until: start + .seconds(seconds))
                }
            }
            group.addTask { try await report(until: start + .seconds(seconds), since: start, injector) }
            try await group.waitForAll()
        }
    }

    private func report(
        until end: ContinuousClock.Instant, since start: ContinuousClock.Instant, _ injector: FaultInjector
    ) async throws {
        while ContinuousClock.now < end {
            try await ContinuousClock().sleep(for: .seconds(1))
            try await injector.lookForCrashes()
            let counts = progress.counts
            console.update(
                "\((ContinuousClock.now - start).components.seconds) s · \(counts.faults) faults · "
                    + "\(counts.accepted) accepted · \(counts.delivered) delivered · "
                    + "\(counts.invoked - counts.settled) waiting · \(counts.reconnects) reconnects · "
                    + "\(counts.offline) offline")
        }
    }

    /// No more faults: everything is up, everything arrives, everything is read, every receipt is back.
    ///
    /// - Returns: false where that was not so in time.
    private func settle(_ devices: [ChaosDevice], _ injector: FaultInjector) async throws -> Bool {
        console.stage("no more faults; waiting until every message and receipt has arrived")
        try await injector.heal()
        let limit = Duration.seconds(settings.healSeconds)
        guard await progress.reached(.delivered, within: limit) else {
            try Task.checkCancellation()
            console.stage("not everything arrived within \(limit)")
            return false
        }
        for device in devices { await device.askUnread() }
        var readers: Set<UserID> = []
        for device in devices where readers.insert(device.user).inserted {
            for (conversation, sequence) in progress.latest(of: device.user) {
                guard await device.read(MessageID(conversation: conversation, sequence: sequence)) else { continue }
                progress.readLast(conversation, sequence, by: device.user)
            }
        }
        if await !progress.reached(.acknowledged, within: limit) {
            try Task.checkCancellation()
            console.stage("not every receipt arrived within \(limit)")
            return false
        }
        return true
    }
}

// MARK: Users and devices

extension ChaosRun {
    private func makeDevices(_ addresses: [RelayAddress]) async throws -> [ChaosDevice] {
        var generator = SeededGenerator(seed: settings.seed).fork(2)
        let journals = try (0..<settings.devices).map { index in
            let name = "u\(userIndex(ofDevice: index) + 1)-d\(index < settings.users ? 1 : 2)"
            return DeviceJournal(try HistoryFile(path: "\(settings.historyDirectory)/\(name).jsonl", began: began))
        }
        let clients = try journals.map { journal -> BatonClient in
            var configuration = ClientConfiguration(addresses: addresses.shuffled(using: &generator))
            configuration.clientName = "baton-chaos"
            configuration.logger = Logger(label: "chaos") { _ in SwiftLogNoOpLogHandler() }
            configuration.observer = { journal.observed($0) }
            configuration.seed = generator.next()
            configuration.encoding = Bool.random(using: &generator) ? .json : .proto
            return try BatonClient(configuration)
        }
        do {
            let tokens = try await logIn(clients)
            return assemble(clients, journals, tokens, using: &generator)
        } catch {
            for client in clients { await client.close() }
            throw error
        }
    }

    /// Who writes to whom is a ring with two kinds of chords, so that both ends of a pair write.
    private func assemble(
        _ clients: [BatonClient], _ journals: [DeviceJournal], _ tokens: [Tokens],
        using generator: inout SeededGenerator
    ) -> [ChaosDevice] {
        let users = tokens.prefix(settings.users).map(\.user)
        let chord = Int.random(in: 1...max(1, users.count / 2), using: &generator)
        var behaviour = settings.behaviour
        // The SDK does not escape, they do, and the first versions read escaped text as other text.
        if settings.faults.kinds.contains(.mixed) { behaviour.rawEncodings = [.proto] }
        return clients.indices.map { [behaviour] index in
            let place = userIndex(ofDevice: index)
            let peers = Set([1, users.count - 1, chord, users.count - chord].map { users[(place + $0) % users.count] })
                .subtracting([users[place]])
            journals[index].history.append(
                .device(
                    user: tokens[index].user.description, device: tokens[index].device.description,
                    encoding: clients[index].configuration.encoding.rawValue))
            progress.added(index, of: tokens[index].user)
            return ChaosDevice(
                index: index, user: tokens[index].user, device: tokens[index].device,
                peers: peers.sorted { $0.rawValue < $1.rawValue }, everybody: users.filter { $0 != users[place] },
                client: clients[index], journal: journals[index],
                progress: progress, behaviour: behaviour)
        }
    }

    /// The first devices are one a user, the further ones second devices of every fourth user.
    private func userIndex(ofDevice index: Int) -> Int {
        index < settings.users ? index : (index - settings.users) * ChaosSettings.usersPerSecondDevice
    }

    private func logIn(_ clients: [BatonClient]) async throws -> [Tokens] {
        let password = "chaos-run-\(settings.seed)"
        try await inParallel(settings.users) { user in
            try await clients[user].register(
                handle: Self.handle(user), displayName: "Chaos \(user + 1)", password: password)
        }
        return try await inParallel(clients.count) { index in
            try await clients[index].login(
                handle: Self.handle(userIndex(ofDevice: index)), password: password,
                deviceName: "chaos \(index + 1)")
        }
    }

    private static func handle(_ user: Int) -> String { "chaos\(user + 1)" }

    /// A few at a time; the results in the order of the numbers.
    @discardableResult
    private func inParallel<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results: [Int: Result] = [:]
            for number in 0..<count {
                if number >= Self.setupsAtOnce, let (done, result) = try await group.next() { results[done] = result }
                group.addTask { (number, try await body(number)) }
            }
            for try await (done, result) in group { results[done] = result }
            return (0..<count).compactMap { results[$0] }
        }
    }
}

/// Why a run could not be made, and what to do.
package struct ChaosFailure: Error, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
