import BatonHistory
import Foundation

/// Does to a cluster what the plan says, undoes it, and writes both down. It knows what it took down, so that a node
/// that is down without its doing is known to have crashed.
actor FaultInjector {
    let cluster: LocalCluster
    let settings: ChaosSettings
    private let progress: ChaosProgress
    private let console: ChaosConsole
    /// The harness' own history.
    private let history: HistoryFile
    private var turns: FaultTurns
    private var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    /// Numbers of what is no planned fault, such as a restart after a crash.
    private var ownNumber = 0
    /// What must not happen: nodes that ended by themselves, or did not end or start when they should.
    private(set) var misbehaviour: [String] = []

    /// A fault that would begin so late is not made: the run would end before it is felt.
    private static let lateSeconds = Duration.milliseconds(500)
    /// Within this both clients and nodes notice that the other end is gone: after it users are shown offline.
    private static let noticed = Duration.seconds(75)

    init(
        cluster: LocalCluster, settings: ChaosSettings, progress: ChaosProgress, console: ChaosConsole,
        history: HistoryFile
    ) {
        self.cluster = cluster
        self.settings = settings
        self.history = history
        self.progress = progress
        self.console = console
        turns = FaultTurns(nodes: cluster.nodeCount)
    }

    /// Waits until the fault contradicts no other, makes it, and mends it.
    ///
    /// - Parameter end: when the load ends; what has not begun by then is left out.
    func inject(_ fault: PlannedFault, until end: ContinuousClock.Instant) async throws {
        var isMade = false
        try await withTurn(fault.number, FaultTurns.Claim(fault.action, nodes: cluster.nodeCount)) {
            guard ContinuousClock.now < end - Self.lateSeconds else {
                return console.note("no time left for \(fault.text)")
            }
            try await make(fault)
            isMade = true
        }
        guard isMade else { return }
        if case .breakLink(let link, let node, .halfOpen) = fault.action {
            try await untilNoticed(proxy(link, of: node), fault, until: end)
        }
        history.append(.healed(number: fault.number))
    }

    /// Nothing mends connections of which one end does not know that the other is gone: it has to notice. What it did
    /// not notice by the end of the load is reset, so that a short run need not wait.
    private func untilNoticed(
        _ proxy: FaultProxy, _ fault: PlannedFault, until end: ContinuousClock.Instant
    ) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.noticed
        while proxy.halfOpenCount > 0, clock.now < end {
            guard clock.now < deadline else {
                complain("\(fault.action.text): not noticed within \(Self.noticed)")
                break
            }
            try await clock.sleep(for: .milliseconds(250))
        }
        try await proxy.dropHalfOpen()
    }

    private func proxy(_ link: FaultAction.Link, of node: Int) -> FaultProxy {
        switch link {
        case .clients: cluster.clientProxies[node]
        case .redis: cluster.redisProxies[node]
        }
    }

    private func make(_ fault: PlannedFault) async throws {
        let duration = Duration.seconds(fault.seconds)
        switch fault.action {
        case .kill(let nodes): try await kill(nodes, fault)
        case .failpoint(let node, let rule): try await runInto(rule, at: node, fault)
        case .terminate(let node): try await terminate(node, fault)
        case .stop(let node): try await stop(node, fault)
        case .runOther(let node): try await runOther(node, fault)
        case .breakLink(let link, let node, let kind):
            let proxy = proxy(link, of: node)
            began(fault)
            try await proxy.set(kind)
            try await hold(duration) { try await proxy.set(nil) }
        case .redis(let kind):
            began(fault)
            try await make(kind, for: duration)
        case .host(let nodes, let kind):
            let hosts = await cluster.hosts
            began(fault)
            for node in nodes { Self.make(kind, at: hosts[node]) }
            try await hold(duration) { for node in nodes { hosts[node].heal() } }
        case .descriptors(let node): try await exhaustDescriptors(of: node, fault)
        case .herd:
            began(fault)
            for proxy in cluster.clientProxies { try await proxy.dropAll() }
        case .poison(let node): try await poison(node, fault)
        }
    }

    /// Everything is started that is down, and carries what is broken.
    func heal() async throws {
        for proxy in cluster.clientProxies + cluster.redisProxies { try await proxy.set(nil) }
        for host in await cluster.hosts { host.heal() }
        try await cluster.startRedis()
        for node in 0..<cluster.nodeCount {
            await cluster.signalNode(node, SIGCONT)
            try await cluster.startNode(node)
            try await cluster.untilReady(node)
        }
    }

    /// Looks for nodes that ended without having been told to, and starts them again.
    func lookForCrashes() async throws {
        for node in 0..<cluster.nodeCount where await hasCrashed(node) {
            ownNumber -= 1
            try await withTurn(ownNumber, FaultTurns.Claim(resources: [.process(node)])) {
                guard await !cluster.isNodeRunning(node) else { return }
                complain("n\(node + 1) ended by itself; its log says why")
                console.note("n\(node + 1) ended by itself")
                try await restart(node)
            }
        }
    }

    private func hasCrashed(_ node: Int) async -> Bool {
        guard !turns.hasProcess(node), await !cluster.isNodeRunning(node) else { return false }
        return !turns.hasProcess(node)
    }

    // MARK: What faults do

    func began(_ fault: PlannedFault) {
        history.append(
            .fault(number: fault.number, kind: fault.kind.rawValue, target: fault.target, what: fault.action.text))
        progress.faulted()
        console.note(fault.action.text)
    }

    func complain(_ what: String) { misbehaviour.append(what) }

    func note(_ text: String) { console.note(text) }

    func restart(_ node: Int) async throws {
        try await cluster.startNode(node)
        try await cluster.untilReady(node)
        console.note("n\(node + 1) is back")
    }

    /// Lets a fault last, and mends it also where the run is ended meanwhile.
    func hold(_ duration: Duration, mend: () async throws -> Void) async throws {
        let slept: Result<Void, any Error>
        do {
            try await ContinuousClock().sleep(for: duration)
            slept = .success(())
        } catch {
            slept = .failure(error)
        }
        try await mend()
        try slept.get()
    }

    // MARK: Turns

    private func withTurn(_ number: Int, _ claim: FaultTurns.Claim, _ body: () async throws -> Void) async throws {
        if !turns.asked(number, for: claim) { await withCheckedContinuation { waiting[number] = $0 } }
        defer {
            for next in turns.ended(number) { waiting.removeValue(forKey: next)?.resume() }
        }
        // Those that waited for a run that is cancelled only go away.
        try Task.checkCancellation()
        try await body()
    }
}
