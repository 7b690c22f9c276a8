import AsyncHTTPClient
import BatonBench
import BatonClient
import Foundation
import Logging
import NIOCore
import NIOPosix

/// Kills all nodes of a cluster of its own under clients that do nothing but stay connected, starts them again after a
/// while, and measures how soon the clients are back.
package struct OutageRun: Sendable {
    package struct Settings: Sendable {
        package var nodes = 3
        package var clients = 1_000
        /// From the end of the nodes to their start.
        package var down = Duration.seconds(60)
        /// Within which 99 of 100 clients are to be back, once the nodes are ready.
        package var within = Duration.seconds(6)
        package var executable: String
        /// Data and logs.
        package var directory: String

        package init(executable: String, directory: String) {
            self.executable = executable
            self.directory = directory
        }
    }

    /// For all clients to come online, at first and after the outage.
    private static let patience = Duration.seconds(90)

    private let settings: Settings
    private let console: ChaosConsole
    private let presence = OutagePresence()

    package init(_ settings: Settings, console: ChaosConsole) {
        self.settings = settings
        self.console = console
    }

    /// Whatever happens, cancellation included, the processes that it started are gone when it returns.
    package func run() async throws -> OutageReport {
        ProcessProbe.raiseOpenFileLimit()
        var cluster = LocalCluster.Settings(executable: settings.executable, directory: settings.directory)
        cluster.nodes = settings.nodes
        cluster.admitHarness()
        cluster.configuration.append("log.level=warning")
        let local = try LocalCluster(cluster)
        let http = HTTPClient(eventLoopGroupProvider: .singleton)
        let result: Result<OutageReport, any Error>
        do {
            console.stage("starting Redis and \(settings.nodes) nodes in \(settings.directory)")
            try await local.start()
            result = .success(try await run(on: local, http))
        } catch {
            result = .failure(error)
        }
        await local.stop()
        try await http.shutdown()
        return try result.get()
    }

    private func run(on cluster: LocalCluster, _ http: HTTPClient) async throws -> OutageReport {
        let addresses = cluster.clientURLs.compactMap { RelayAddress($0) }
        console.stage("registering \(settings.clients) users")
        let console = console
        let accounts = LoadAccounts(
            rest: RelayREST(http: http, on: MultiThreadedEventLoopGroup.singleton.next(), addresses: addresses),
            prefix: "outage", password: "outage-run", progress: { console.stage($0) })
        var clients: [BatonClient] = []
        for tokens in try await accounts.logIn(settings.clients) {
            clients.append(try await client(of: tokens, addresses))
        }
        let all = clients
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, client) in all.enumerated() {
                group.addTask { await follow(client, index) }
            }
            let result: Result<OutageReport, any Error>
            do {
                result = .success(try await breakAndHeal(cluster, all))
            } catch {
                result = .failure(error)
            }
            for client in all { await client.close() }
            try await group.waitForAll()
            return try result.get()
        }
    }

    private func client(of tokens: Tokens, _ addresses: [RelayAddress]) async throws -> BatonClient {
        var configuration = ClientConfiguration(addresses: addresses.shuffled())
        configuration.clientName = "baton-outage"
        configuration.logger = Logger(label: "outage") { _ in SwiftLogNoOpLogHandler() }
        configuration.observer = { [presence] in if case .opening = $0 { presence.attempted() } }
        let client = try BatonClient(configuration)
        try await client.use(tokens)
        return client
    }

    private func follow(_ client: BatonClient, _ index: Int) async {
        for await state in await client.states() {
            if case .online = state {
                presence.set(index, isOnline: true)
            } else {
                presence.set(index, isOnline: false)
            }
        }
    }

    private func breakAndHeal(_ cluster: LocalCluster, _ clients: [BatonClient]) async throws -> OutageReport {
        console.stage("connecting \(clients.count) clients")
        for client in clients { try await client.connect() }
        guard await presence.reached(clients.count, within: Self.patience) else {
            throw ChaosFailure("only \(presence.online.count) of \(clients.count) clients came online")
        }
        console.stage("killing all nodes for \(settings.down)")
        let clock = ContinuousClock()
        for index in 0..<cluster.nodeCount { await cluster.killNode(index) }
        let killed = clock.now
        presence.begin()
        try await clock.sleep(until: killed + settings.down)
        for index in 0..<cluster.nodeCount { try await cluster.startNode(index) }
        for index in 0..<cluster.nodeCount { try await cluster.untilReady(index) }
        let ready = clock.now
        console.stage("all nodes are ready after \(ready - killed)")
        _ = await presence.reached(clients.count, within: Self.patience)
        try Task.checkCancellation()
        return OutageReport(
            nodes: cluster.nodeCount, clients: clients.count, back: presence.online.map { $0 - ready },
            down: ready - killed, attempts: presence.attempts, within: settings.within)
    }
}
