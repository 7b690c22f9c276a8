/// One fault, when it comes and how long what it takes down stays down.
package struct PlannedFault: Hashable, Sendable {
    /// Seconds after the load began.
    package let at: Double
    package let kind: FaultKind
    /// Where to begin looking for a node that is up.
    package let node: Int
    package let downSeconds: Double
}

/// The faults of a run, in order of time: a function of the settings and their seed.
package enum ChaosPlan {
    private static let downSeconds = 0.5...2.0
    /// The load's end is left alone, so that the last fault has met some load.
    private static let quietSeconds = 1.0

    package static func faults(_ settings: ChaosSettings) -> [PlannedFault] {
        var generator = SeededGenerator(seed: settings.seed).fork(1)
        var faults: [PlannedFault] = []
        func add(_ kind: FaultKind, at second: Double, node: Int? = nil) {
            guard settings.faults.contains(kind), second < settings.seconds - quietSeconds else { return }
            faults.append(
                PlannedFault(
                    at: second, kind: kind, node: node ?? Int.random(in: 0..<settings.nodes, using: &generator),
                    downSeconds: Double.random(in: downSeconds, using: &generator)))
        }
        var second = settings.killEvery
        while second < settings.seconds {
            add(.node, at: second)
            second += settings.killEvery
        }
        add(.redisFlush, at: settings.seconds / 3)
        add(.redisKill, at: settings.seconds * 2 / 3)
        for node in 0..<settings.nodes {
            add(
                .sigterm, at: settings.seconds / 2 + Double(node) * settings.seconds / Double(12 * settings.nodes),
                node: node)
        }
        return faults.sorted { $0.at < $1.at }
    }
}
