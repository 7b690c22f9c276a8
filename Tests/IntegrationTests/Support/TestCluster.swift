import BatonBench
import BatonChaos
import BatonClient
import BatonHistory
import Foundation
import Testing

/// A cluster of real processes for the tests of one suite, and the people who use it.
struct TestCluster: Sendable {
    /// The cluster of the running suite.
    @TaskLocal static var current: TestCluster?

    let local: LocalCluster
    let directory: String

    static func start(
        nodes: Int, executable: String? = nil, configuration: [String] = [], isProxied: Bool = false,
        hasHostFaults: Bool = false
    ) async throws -> TestCluster {
        let directory = NSTemporaryDirectory() + "baton-tests-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var settings = LocalCluster.Settings(
            executable: try executable ?? Self.executable("baton"), directory: directory)
        settings.nodes = nodes
        settings.isProxied = isProxied
        if hasHostFaults {
            let library: String? = HostFaults.library(besides: settings.executable)
            try #require(library != nil, "\(HostFaults.libraryName) was not built beside the program")
            settings.shim = library
        }
        settings.admitHarness()
        settings.ownConfiguration += configuration
        let cluster = TestCluster(local: try LocalCluster(settings), directory: directory)
        do {
            try await cluster.local.start()
        } catch {
            await cluster.local.stop()
            throw error
        }
        return cluster
    }

    /// Stops it, and removes its files, which are kept for a look where a test failed.
    func stop(keep: Bool = false) async {
        await local.stop()
        if !keep { try? FileManager.default.removeItem(atPath: directory) }
    }

    /// A program that was built beside these tests.
    static func executable(_ name: String) throws -> String {
        let test = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: test).deletingLastPathComponent().appendingPathComponent(name).path
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(name) was not built beside the tests")
        return path
    }

    /// The addresses of some nodes, in this order.
    func addresses(_ nodes: [Int]) -> [RelayAddress] { nodes.compactMap { RelayAddress(local.nodeURLs[$0]) } }

    /// Asks a node about itself until it answers so.
    func untilHealth(of node: Int, _ isSo: (String) -> Bool) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(20)
        var last = ""
        while clock.now < deadline {
            last = try await local.health(of: node)
            if isSo(last) { return }
            try await clock.sleep(for: .milliseconds(50))
        }
        Issue.record("the node's health stays \(last)")
    }
}

/// Gives a suite a cluster of its own, started once. Suites with clusters take turns: a machine of two cores that runs
/// many at once tells nothing about time.
struct ClusterTrait: SuiteTrait, TestScoping {
    let nodes: Int
    let configuration: [String]
    let isProxied: Bool
    let hasHostFaults: Bool

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Turns.shared.take()
        do {
            let cluster = try await TestCluster.start(
                nodes: nodes, configuration: configuration, isProxied: isProxied, hasHostFaults: hasHostFaults)
            do {
                try await TestCluster.$current.withValue(cluster) { try await function() }
            } catch {
                await cluster.stop()
                throw error
            }
            await cluster.stop()
        } catch {
            await Turns.shared.give()
            throw error
        }
        await Turns.shared.give()
    }
}

extension Trait where Self == ClusterTrait {
    /// A cluster for the suite: `TestCluster.current`.
    ///
    /// - Parameters:
    ///   - isProxied: whether clients reach nodes, and nodes Redis, through proxies that can break.
    ///   - hasHostFaults: whether disks and clocks can be broken.
    static func cluster(
        nodes: Int, configuration: [String] = [], isProxied: Bool = false, hasHostFaults: Bool = false
    ) -> ClusterTrait {
        ClusterTrait(
            nodes: nodes, configuration: configuration, isProxied: isProxied, hasHostFaults: hasHostFaults)
    }
}

/// The suite waits until no other with a cluster runs.
struct TurnTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        await Turns.shared.take()
        do {
            try await function()
        } catch {
            await Turns.shared.give()
            throw error
        }
        await Turns.shared.give()
    }
}

extension Trait where Self == TurnTrait {
    static var alone: TurnTrait { TurnTrait() }
}

/// One at a time.
private actor Turns {
    static let shared = Turns()
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        guard isTaken else {
            isTaken = true
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func give() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
    }
}
