/// What is done to a cluster, by the names of `--faults`.
package enum FaultKind: String, CaseIterable, Sendable {
    // Processes.
    /// SIGKILL of a node, again and again.
    case node
    case killTwo = "kill-two"
    case killAll = "kill-all"
    /// A node kills itself at the worst moments.
    case failpoint
    /// Each node in turn is told to stop in order, and starts again.
    case sigterm
    /// SIGSTOP for some seconds.
    case pause
    /// SIGSTOP for longer than every TTL.
    case zombie
    /// A node runs as another version for a while.
    case mixed

    // Networks: what `LinkFault` does, to a node's clients and to its Redis.
    case blackHole = "black-hole"
    case reset
    case oneWay = "one-way"
    case slow
    case dribble
    case halfOpen = "half-open"
    case refuse

    // Redis.
    case redisFlush = "redis-flush"
    /// Killed, and started empty.
    case redisKill = "redis-kill"
    /// Killed, and started with what it held some seconds before.
    case redisSnapshot = "redis-snapshot"
    /// All subscribers are cut off.
    case redisSubscribers = "redis-subscribers"
    case redisPause = "redis-pause"
    case redisReadOnly = "redis-read-only"
    case redisMemory = "redis-memory"
    /// Subscribers are cut off for what waits for them.
    case redisOutputBuffer = "redis-output-buffer"

    // The nodes' host.
    case diskFull = "disk-full"
    case fsyncSlow = "fsync-slow"
    case fsyncFail = "fsync-fail"
    case clock
    case descriptors

    // Clients.
    /// All clients lose their connections at once.
    case herd
    /// Connections that send what no client should.
    case poison

    package enum Group: String, CaseIterable, Sendable {
        case processes, network, redis, host, clients
    }

    package var group: Group {
        switch self {
        case .node, .killTwo, .killAll, .failpoint, .sigterm, .pause, .zombie, .mixed: .processes
        case .blackHole, .reset, .oneWay, .slow, .dribble, .halfOpen, .refuse: .network
        case .redisFlush, .redisKill, .redisSnapshot, .redisSubscribers, .redisPause, .redisReadOnly, .redisMemory,
            .redisOutputBuffer:
            .redis
        case .diskFull, .fsyncSlow, .fsyncFail, .clock, .descriptors: .host
        case .herd, .poison: .clients
        }
    }

    /// Whether it needs the fault shim in the nodes.
    var needsShim: Bool { [.diskFull, .fsyncSlow, .fsyncFail, .clock].contains(self) }

    package static var list: String { allCases.map(\.rawValue).joined(separator: ",") }
    package static var groupList: String { Group.allCases.map(\.rawValue).joined(separator: ",") }
}

/// Which faults a run is to make.
package struct FaultSelection: Sendable {
    package var kinds: Set<FaultKind>
    /// Those called by their own names: that they cannot be made is an error, and not a note.
    package var named: Set<FaultKind>
    /// Nothing was asked for.
    package var isDefault = false

    /// All that can be made where the run is.
    package static let everything = FaultSelection(kinds: Set(FaultKind.allCases), named: [], isDefault: true)

    package init(kinds: Set<FaultKind>, named: Set<FaultKind>, isDefault: Bool = false) {
        self.kinds = kinds
        self.named = named
        self.isDefault = isDefault
    }

    /// From `network,redis-kill`; `all` is every kind, `default` all that can be made.
    ///
    /// - Returns: nil, and the word that is none, where there is one.
    package static func parsed(_ list: String) -> (selection: FaultSelection, unknown: Substring?) {
        var selection = FaultSelection(kinds: [], named: [])
        for word in list.split(separator: ",") {
            if word == "default" {
                selection.kinds.formUnion(FaultKind.allCases)
                selection.isDefault = true
            } else if word == "all" {
                selection.kinds.formUnion(FaultKind.allCases)
            } else if let group = FaultKind.Group(rawValue: String(word)) {
                selection.kinds.formUnion(FaultKind.allCases.filter { $0.group == group })
            } else if let kind = FaultKind(rawValue: String(word)) {
                selection.kinds.insert(kind)
                selection.named.insert(kind)
            } else {
                return (selection, word)
            }
        }
        return (selection, nil)
    }
}
