/// One fault: when it comes, to whom, and for how long.
package struct PlannedFault: Hashable, Sendable {
    /// Its name in the histories.
    package let number: Int
    /// Seconds after the load began.
    package let at: Double
    package let kind: FaultKind
    package let action: FaultAction
    /// How long it lasts; for a killed process, how long it stays down.
    package let seconds: Double

    /// `n1`, `redis`, `clients` or `all`.
    package var target: String { action.target }

    /// For people.
    package var text: String { "\(kind.rawValue): \(action.text)" }
}

/// What exactly is done. Nodes by their index.
package enum FaultAction: Hashable, Sendable {
    case kill([Int])
    /// A node is started with this value of BATON_FAILPOINTS.
    case failpoint(Int, String)
    case terminate(Int)
    case stop(Int)
    case runOther(Int)
    case breakLink(Link, of: Int, LinkFault)
    case redis(RedisFault)
    case host([Int], HostFault)
    /// No more descriptors.
    case descriptors(Int)
    case herd
    case poison(Int)

    package enum Link: String, Sendable, CaseIterable {
        case clients, redis
    }

    package enum RedisFault: String, Sendable {
        case flush = "FLUSHALL"
        case kill = "SIGKILL, starts empty"
        case snapshot = "SIGKILL, starts from an old snapshot"
        case dropSubscribers = "CLIENT KILL TYPE pubsub"
        case pause = "CLIENT PAUSE"
        case readOnly = "answers READONLY"
        case noMemory = "answers OOM"
        case outputBuffer = "cuts subscribers off for their output buffers"
    }

    package enum HostFault: Hashable, Sendable {
        case diskFull
        case slowSyncs(Duration)
        /// nil: all.
        case failingSyncs(Int?)
        case clock(Duration)

        var text: String {
            switch self {
            case .diskFull: "disk full"
            case .slowSyncs(let delay): "syncs take \(delay) longer"
            case .failingSyncs(let count): count.map { "\($0) syncs fail" } ?? "syncs fail"
            case .clock(let offset): "clock wrong by \(offset)"
            }
        }
    }

    package var target: String {
        switch self {
        case .kill(let nodes), .host(let nodes, _): nodes.count == 1 ? Self.name(nodes[0]) : "all"
        case .failpoint(let node, _), .terminate(let node), .stop(let node), .runOther(let node),
            .breakLink(_, let node, _), .descriptors(let node), .poison(let node):
            Self.name(node)
        case .redis: "redis"
        case .herd: "clients"
        }
    }

    package var text: String {
        switch self {
        case .kill(let nodes): "SIGKILL of \(nodes.map(Self.name).joined(separator: ", "))"
        case .failpoint(let node, let rule): "\(Self.name(node)) with \(rule)"
        case .terminate(let node): "SIGTERM to \(Self.name(node))"
        case .stop(let node): "SIGSTOP to \(Self.name(node))"
        case .runOther(let node): "another version at \(Self.name(node))"
        case .breakLink(let link, let node, let fault):
            "\(fault) between \(Self.name(node)) and \(link == .clients ? "its clients" : "Redis")"
        case .redis(let fault): "Redis: \(fault.rawValue)"
        case .host(let nodes, let fault): "\(fault.text) at \(nodes.map(Self.name).joined(separator: ", "))"
        case .descriptors(let node): "no more descriptors for \(Self.name(node))"
        case .herd: "all connections of clients reset"
        case .poison(let node): "malformed bytes to \(Self.name(node))"
        }
    }

    private static func name(_ node: Int) -> String { "n\(node + 1)" }
}
