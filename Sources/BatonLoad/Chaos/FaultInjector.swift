import Foundation

/// Does to a cluster what the plan says, and undoes it. It remembers what it took down, so that a node that is down
/// without its doing is known to have crashed.
actor FaultInjector {
    private let cluster: LocalCluster
    private let progress: ChaosProgress
    private let console: ChaosConsole
    /// The harness' own history.
    private let history: HistoryFile
    /// Nodes that are down, or coming up, because of a fault.
    private var busy: Set<Int> = []
    private(set) var injected: [InjectedFault] = []
    /// What must not happen: nodes that ended by themselves, or did not end or start when they should.
    private(set) var misbehaviour: [String] = []

    init(cluster: LocalCluster, progress: ChaosProgress, console: ChaosConsole, history: HistoryFile) {
        self.cluster = cluster
        self.history = history
        self.progress = progress
        self.console = console
    }

    func inject(_ fault: PlannedFault) async throws {
        switch fault.kind {
        case .node: try await killNode(fault)
        case .sigterm: try await stopNode(fault)
        case .redisFlush:
            began(.redisFlush, "FLUSHALL")
            try await cluster.emptyRedis()
        case .redisKill:
            began(.redisKill, "SIGKILL of Redis")
            await cluster.killRedis()
            try await ContinuousClock().sleep(for: .seconds(fault.downSeconds))
            try await cluster.startRedis()
            console.note("Redis is back")
        }
    }

    private func began(_ kind: FaultKind, _ what: String) {
        injected.append(InjectedFault(kind: kind, at: progress.now))
        progress.faulted()
        console.note(what)
    }

    /// A node that is up, from the planned one on; nil where it would leave none that serves: without load there is
    /// nothing to be lost.
    private func take(from first: Int) -> Int? {
        let count = cluster.nodeCount
        guard count == 1 || busy.count + 1 < count else { return nil }
        guard let node = (0..<count).map({ (first + $0) % count }).first(where: { !busy.contains($0) }) else {
            return nil
        }
        busy.insert(node)
        return node
    }

    private func killNode(_ fault: PlannedFault) async throws {
        guard let node = take(from: fault.node) else { return }
        began(.node, "SIGKILL of n\(node + 1)")
        await cluster.killNode(node)
        try await ContinuousClock().sleep(for: .seconds(fault.downSeconds))
        try await restart(node)
    }

    private func stopNode(_ fault: PlannedFault) async throws {
        guard let node = take(from: fault.node) else { return }
        began(.sigterm, "SIGTERM to n\(node + 1)")
        await cluster.signalNode(node, SIGTERM)
        if let status = await cluster.nodeEnded(node), status != 0 {
            misbehaviour.append("n\(node + 1) ended with status \(status) after SIGTERM; it must be 0")
        }
        try await restart(node)
    }

    private func restart(_ node: Int) async throws {
        try await cluster.startNode(node)
        try await cluster.untilReady(node)
        busy.remove(node)
        console.note("n\(node + 1) is back")
    }

    /// Looks for nodes that ended without having been told to, and starts them again.
    func lookForCrashes() async throws {
        for node in 0..<cluster.nodeCount where !busy.contains(node) {
            guard await !cluster.isNodeRunning(node), !busy.contains(node) else { continue }
            busy.insert(node)
            misbehaviour.append("n\(node + 1) ended by itself; its log says why")
            console.note("n\(node + 1) ended by itself")
            try await restart(node)
        }
    }

    /// Everything is started that is down.
    func heal() async throws {
        try await cluster.startRedis()
        for node in 0..<cluster.nodeCount {
            try await cluster.startNode(node)
            try await cluster.untilReady(node)
        }
        busy = []
    }
}

/// A fault that happened, on the histories' clock.
package struct InjectedFault: Hashable, Sendable {
    package let kind: FaultKind
    package let at: Int64
}
