import BatonCore

/// What the kinds of faults are in particular: their variants, their sizes and how long they last.
enum FaultVariants {
    static let downSeconds = 0.5...2.0
    /// Each but rarely enough that a node does some work before.
    static let failpoints = ["committed=kill@1/40", "published=kill@1/40", "drain=kill@1/4", "acknowledged=kill@1/40"]
    /// Above the 2 s after which a node gives a command to Redis up, and below it.
    private static let linkSeconds = 1.5...3.5

    /// - Parameter variant: a network's fault has twice as many as it has kinds: for clients and for Redis.
    static func action(
        _ kind: FaultKind, variant: Int, nodes: Int, using generator: inout SeededGenerator
    ) -> (FaultAction, ClosedRange<Double>) {
        let node = Int.random(in: 0..<nodes, using: &generator)
        switch kind.group {
        case .processes: return process(kind, variant, node, of: nodes)
        case .network:
            let fault = link(kind, variant, using: &generator)
            return (.breakLink(variant.isMultiple(of: 2) ? .clients : .redis, of: node, fault), linkSeconds)
        case .redis: return redis(kind)
        case .host: return host(kind, node, of: nodes, using: &generator)
        case .clients: return (kind == .poison ? .poison(node) : .herd, 0...0)
        }
    }

    private static func process(
        _ kind: FaultKind, _ variant: Int, _ node: Int, of nodes: Int
    ) -> (FaultAction, ClosedRange<Double>) {
        switch kind {
        case .killTwo: (.kill([node, (node + 1) % nodes].sorted()), downSeconds)
        case .killAll: (.kill(Array(0..<nodes)), downSeconds)
        case .failpoint: (.failpoint(node, failpoints[variant]), 5...5)
        case .pause: (.stop(node), 2...4)
        case .mixed: (.runOther(node), 4...8)
        default: (.kill([node]), downSeconds)
        }
    }

    private static func link(
        _ kind: FaultKind, _ variant: Int, using generator: inout SeededGenerator
    ) -> LinkFault {
        let end: LinkEnd = Bool.random(using: &generator) ? .client : .server
        return switch kind {
        case .reset: .reset
        case .oneWay: .oneWay(from: variant < 2 ? .client : .server)
        case .slow: .slow(.milliseconds(Int.random(in: 50...600, using: &generator)))
        case .dribble: .dribble(every: .milliseconds(2))
        case .halfOpen: .halfOpen(closing: end)
        case .refuse: .refuse
        default: .blackHole
        }
    }

    private static func redis(_ kind: FaultKind) -> (FaultAction, ClosedRange<Double>) {
        switch kind {
        case .redisFlush: (.redis(.flush), 0...0)
        case .redisSnapshot: (.redis(.snapshot), 1.5...3)
        case .redisSubscribers: (.redis(.dropSubscribers), 0...0)
        case .redisPause: (.redis(.pause), 0.5...3)
        case .redisReadOnly: (.redis(.readOnly), 1.5...3)
        case .redisMemory: (.redis(.noMemory), 1.5...3)
        case .redisOutputBuffer: (.redis(.outputBuffer), 0.5...1.5)
        default: (.redis(.kill), downSeconds)
        }
    }

    private static func host(
        _ kind: FaultKind, _ node: Int, of nodes: Int, using generator: inout SeededGenerator
    ) -> (FaultAction, ClosedRange<Double>) {
        // They share the disk.
        let all = Array(0..<nodes)
        switch kind {
        case .fsyncSlow:
            return (.host(all, .slowSyncs(.milliseconds(Int.random(in: 20...200, using: &generator)))), 2...4)
        case .fsyncFail:
            // A whole disk that fails for a moment, or what one node sees of it for a while.
            return Bool.random(using: &generator)
                ? (.host(all, .failingSyncs(2)), 1...2.5) : (.host([node], .failingSyncs(nil)), 1...2.5)
        case .clock:
            let offset = [-3_600, -300, 300, 3_600].randomElement(using: &generator) ?? 300
            return (.host([node], .clock(.seconds(offset))), 3...8)
        case .descriptors: return (.descriptors(node), 2...4)
        default: return (.host(all, .diskFull), 1...2.5)
        }
    }
}
