/// What is wrong in a cluster at one moment, in words for people. One list, so that the page, `baton top` and
/// programs agree; what only shows over time (latency, missed hints) they see in the totals.
extension ClusterStatus {
    package struct Problem: Codable, Hashable, Sendable {
        package enum Severity: String, Codable, Sendable {
            /// Messages are refused, late, or in danger.
            case bad
            /// It works, and a person should look at it.
            case warning
        }

        package var severity: Severity
        /// The node it is about, where it is about one.
        package var node: String?
        package var text: String

        package init(severity: Severity, node: String? = nil, text: String) {
            self.severity = severity
            self.node = node
            self.text = text
        }
    }

    /// Shares of a bound from which on it is told of.
    static let fullDescriptors = 0.9
    static let fullQueue = 0.5
    static let freeDisk = 0.1

    func foundProblems() -> [Problem] {
        var problems: [Problem] = []
        if redis == nil {
            problems.append(
                Problem(
                    severity: .bad, text: "Redis does not answer: other nodes' messages come late, from the store"))
        }
        if !registryReachable {
            problems.append(
                Problem(
                    severity: .warning,
                    text: nodes.count > 1
                        ? "Redis does not name the nodes; shown are those that it named last, or that the store's file names"
                        : "Redis does not name the nodes, nor does the store's file: shown is the one that answers"))
        }
        if let redis, redis.evictedKeys > 0 {
            problems.append(
                Problem(
                    severity: .warning, text: "Redis evicted \(redis.evictedKeys) keys: set maxmemory-policy noeviction"
                )
            )
        }
        if store.diskBytes > 0, Double(store.freeBytes) < Self.freeDisk * Double(store.diskBytes) {
            problems.append(
                Problem(
                    severity: .warning,
                    text: "the store's disk has \(100 * store.freeBytes / store.diskBytes) % left"))
        }
        for node in nodes { problems += node.foundProblems() }
        return problems
    }
}

extension ClusterStatus.Node {
    fileprivate func foundProblems() -> [ClusterStatus.Problem] {
        var problems: [ClusterStatus.Problem] = []
        func found(_ severity: ClusterStatus.Problem.Severity, _ text: String) {
            problems.append(ClusterStatus.Problem(severity: severity, node: node, text: text))
        }
        guard let status else {
            found(.bad, problem ?? "\(AdminClientError.unreachable)")
            return problems
        }
        if !status.ready {
            let isLeaving = status.reasons.contains("evacuating") || status.reasons.contains("starting")
            found(isLeaving ? .warning : .bad, "is not ready: \(status.reasons.joined(separator: ", "))")
        } else if status.degraded {
            found(.bad, "is degraded: \(status.reasons.joined(separator: ", "))")
        }
        if Double(status.store.queued) >= ClusterStatus.fullQueue * Double(status.store.queueLimit) {
            found(.bad, "has \(status.store.queued) operations waiting for a commit")
        }
        if status.slowReaders.count > 0 {
            found(.warning, "has \(status.slowReaders.count) slow reader\(status.slowReaders.count == 1 ? "" : "s")")
        }
        let process = status.process
        if process.descriptorLimit > 0,
            Double(process.descriptors) >= ClusterStatus.fullDescriptors * Double(process.descriptorLimit)
        {
            found(.bad, "has \(process.descriptors) of \(process.descriptorLimit) file descriptors open")
        }
        return problems
    }
}
