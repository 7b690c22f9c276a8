import Foundation

/// Faults of the nodes' processes.
extension FaultInjector {
    func kill(_ nodes: [Int], _ fault: PlannedFault) async throws {
        began(fault)
        await withTaskGroup(of: Void.self) { [cluster] group in
            for node in nodes { group.addTask { await cluster.killNode(node) } }
        }
        try await ContinuousClock().sleep(for: .seconds(fault.seconds))
        for node in nodes { try await cluster.startNode(node) }
        for node in nodes { try await restart(node) }
    }

    /// The node is started with an armed failpoint, and dies there, or after a while.
    func runInto(_ rule: String, at node: Int, _ fault: PlannedFault) async throws {
        await cluster.killNode(node)
        began(fault)
        try await cluster.startNode(node, environment: ["BATON_FAILPOINTS": rule])
        try? await cluster.untilReady(node)
        // A node that has just come has nothing to do, before others lose their clients.
        for other in cluster.clientProxies.indices where other != node && cluster.nodeCount > 1 {
            try await cluster.clientProxies[other].dropAll()
            break
        }
        let hasDied = await cluster.nodeEnds(node, within: .seconds(fault.seconds))
        if !hasDied { note("n\(node + 1) did not pass its failpoint") }
        await cluster.killNode(node)
        try await restart(node)
    }

    func terminate(_ node: Int, _ fault: PlannedFault) async throws {
        began(fault)
        await cluster.signalNode(node, SIGTERM)
        if let status = await cluster.nodeEnded(node), status != 0 {
            complain("n\(node + 1) ended with status \(status) after SIGTERM; it must be 0")
        }
        try await restart(node)
    }

    /// SIGSTOP, and SIGCONT. For longer than some seconds only where the node does not hold the store's lock, which
    /// all others would wait for: the locks of one host's processes are the kernel's, and nobody can take them away.
    func stop(_ node: Int, _ fault: PlannedFault) async throws {
        began(fault)
        await cluster.signalNode(node, SIGSTOP)
        if fault.kind == .zombie {
            while await cluster.isHoldingStore(node) {
                await cluster.signalNode(node, SIGCONT)
                try await ContinuousClock().sleep(for: .milliseconds(5))
                await cluster.signalNode(node, SIGSTOP)
            }
        }
        try await hold(.seconds(fault.seconds)) { await cluster.signalNode(node, SIGCONT) }
        try await cluster.untilReady(node)
    }

    func runOther(_ node: Int, _ fault: PlannedFault) async throws {
        guard let other = settings.otherExecutable else { return }
        began(fault)
        await cluster.killNode(node)
        try await cluster.startNode(node, executable: other)
        try await cluster.untilReady(node)
        try await ContinuousClock().sleep(for: .seconds(fault.seconds))
        await cluster.signalNode(node, SIGTERM)
        _ = await cluster.nodeEnded(node)
        try await restart(node)
    }

    /// No descriptor is left for the node, while clients come; then it has as many as before.
    func exhaustDescriptors(of node: Int, _ fault: PlannedFault) async throws {
        guard let pid = await cluster.nodePIDs[node] else { return }
        let limit = try DescriptorLimit(of: pid)
        began(fault)
        try limit.exhaust()
        // All of its clients come again, and get in only when there is room.
        try await cluster.clientProxies[node].dropAll()
        try await hold(.seconds(fault.seconds)) { try limit.restore() }
        guard await !cluster.isNodeRunning(node) else { return try await cluster.untilReady(node) }
        // libdispatch looks through /proc at its threads while they wait for a core, and ends the process where it
        // cannot. A node's bound of connections keeps clients from bringing that about; this fault knows no bound.
        let status = await cluster.nodeEnded(node)
        if status == 128 + SIGILL {
            note("n\(node + 1) died of it")
        } else {
            complain("n\(node + 1) ended with status \(status ?? 0) while it had no descriptors")
        }
        try await restart(node)
    }
}
