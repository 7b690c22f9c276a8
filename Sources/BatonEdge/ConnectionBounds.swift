/// How many connections a node has that are no WebSockets, in all and of one address, and how many WebSockets of one
/// address. It decides who is taken, who gives way and who is refused, and opens and closes nothing.
///
/// A connection that only waits gives way to a new one, the longest waiting one first: those of its own address where
/// that has too many, any where all have. A new one is refused only where the others are all at work. What asks for
/// health or for a WebSocket is taken beyond the bounds, from a reserve: no flood of requests keeps out the balancer's
/// questions and those who come to stay.
///
/// An address is what `ClientNetwork` counts as one. Behind a proxy it is known with the first request, and may be another
/// one with the next.
package struct ConnectionBounds<ID: Hashable & Sendable>: Sendable {
    package struct Sizes: Hashable, Sendable {
        /// Connections that are no WebSockets, and those beyond that have not asked yet, or ask for what is reserved.
        package var plain: Int
        package var reserve: Int
        /// The same of one address.
        package var plainPerAddress: Int
        package var reservePerAddress: Int
        /// WebSockets of one address.
        package var socketsPerAddress: Int

        package init(
            plain: Int, reserve: Int, plainPerAddress: Int, reservePerAddress: Int, socketsPerAddress: Int
        ) {
            self.plain = plain
            self.reserve = reserve
            self.plainPerAddress = plainPerAddress
            self.reservePerAddress = reservePerAddress
            self.socketsPerAddress = socketsPerAddress
        }
    }

    package enum Verdict: Hashable, Sendable {
        case taken
        /// Taken; the other one is to be closed for it.
        case takenFor(ID, ConnectionBound)
        case refused(ConnectionBound)
    }

    private enum Phase: Int {
        // In the order in which they give way; from `answering` on they do not.
        case refused, waiting, undecided
        case answering, upgrading
    }

    private struct Entry {
        var network: String?
        var phase: Phase
        /// It asked for something that is not reserved.
        var isPlain: Bool
        /// Rises with each change of phase.
        var since: UInt64
    }

    private struct Load {
        var open = 0
        var plain = 0
        var sockets = 0
        var isEmpty: Bool { open == 0 && sockets == 0 }
    }

    package let sizes: Sizes
    private var entries: [ID: Entry] = [:]
    private var socketNetworks: [ID: String] = [:]
    private var loads: [String: Load] = [:]
    private var total = Load()
    private var changes: UInt64 = 0
    /// WebSockets that were admitted and are not open yet.
    package private(set) var upgrading = 0

    package init(_ sizes: Sizes) {
        self.sizes = sizes
    }

    /// Connections that are no WebSockets.
    package var open: Int { total.open }

    /// Those that asked for something that is not reserved, in all or of one address.
    package func plain(of network: String? = nil) -> Int {
        network.map { loads[$0]?.plain ?? 0 } ?? total.plain
    }

    /// Nothing is counted.
    package var isEmpty: Bool { total.isEmpty && total.plain == 0 && loads.isEmpty && entries.isEmpty }

    /// A connection came.
    ///
    /// - Parameter network: whose it is; nil where a proxy is yet to say.
    package mutating func opened(_ id: ID, from network: String?) -> Verdict {
        var verdict = Verdict.taken
        if let network, loads[network]?.open ?? 0 >= sizes.plainPerAddress + sizes.reservePerAddress {
            guard let other = longestWaiting(of: network) else { return .refused(.plainPerAddress) }
            remove(other)
            verdict = .takenFor(other, .plainPerAddress)
        } else if total.open >= sizes.plain + sizes.reserve {
            guard let other = longestWaiting(of: nil) else { return .refused(.plain) }
            remove(other)
            verdict = .takenFor(other, .plain)
        }
        entries[id] = Entry(network: network, phase: .undecided, isPlain: false, since: next())
        count(network) { $0.open += 1 }
        return verdict
    }

    /// A connection asks for something.
    package mutating func asked(_ id: ID, from network: String, isReserved: Bool) -> Verdict {
        guard move(id, to: network) else { return .taken }
        setPlain(id, false)
        // It does not give way to itself.
        set(id, .answering)
        guard !isReserved else { return .taken }
        var verdict = Verdict.taken
        if loads[network]?.plain ?? 0 >= sizes.plainPerAddress {
            guard let other = longestWaiting(of: network, isPlain: true) else { return refuse(id, .plainPerAddress) }
            remove(other)
            verdict = .takenFor(other, .plainPerAddress)
        } else if total.plain >= sizes.plain {
            guard let other = longestWaiting(of: nil, isPlain: true) else { return refuse(id, .plain) }
            remove(other)
            verdict = .takenFor(other, .plain)
        }
        setPlain(id, true)
        return verdict
    }

    /// It has its answer, and waits until it asks again.
    package mutating func answered(_ id: ID) { set(id, .waiting) }

    /// It has been told no, and ends.
    package mutating func ending(_ id: ID) { set(id, .refused) }

    /// It asks for a WebSocket, and would be given one.
    package mutating func admitted(_ id: ID, from network: String) -> Verdict {
        guard move(id, to: network) else { return .taken }
        guard loads[network]?.sockets ?? 0 < sizes.socketsPerAddress else { return refuse(id, .socketsPerAddress) }
        set(id, .upgrading)
        // Counted at once, or many who are being looked at would each find room.
        count(network) { $0.sockets += 1 }
        upgrading += 1
        return .taken
    }

    /// It is a WebSocket.
    package mutating func upgraded(_ id: ID) {
        guard let entry = entries[id], entry.phase == .upgrading, let network = entry.network else { return }
        // It goes on counting as a WebSocket of its address.
        count(network) { $0.sockets += 1 }
        remove(id)
        socketNetworks[id] = network
    }

    /// It is gone.
    package mutating func ended(_ id: ID) {
        if let network = socketNetworks.removeValue(forKey: id) {
            count(network) { $0.sockets -= 1 }
        } else {
            remove(id)
        }
    }

    // MARK: Entries

    private mutating func remove(_ id: ID) {
        setPlain(id, false)
        guard let entry = entries.removeValue(forKey: id) else { return }
        count(entry.network) { $0.open -= 1 }
        if entry.phase == .upgrading { endUpgrade(of: entry) }
    }

    private mutating func endUpgrade(of entry: Entry) {
        upgrading -= 1
        count(entry.network) { $0.sockets -= 1 }
    }

    private mutating func refuse(_ id: ID, _ bound: ConnectionBound) -> Verdict {
        set(id, .refused)
        return .refused(bound)
    }

    private mutating func set(_ id: ID, _ phase: Phase) {
        guard var entry = entries[id] else { return }
        if entry.phase == .upgrading { endUpgrade(of: entry) }
        entry.phase = phase
        entry.since = next()
        entries[id] = entry
    }

    private mutating func setPlain(_ id: ID, _ isPlain: Bool) {
        guard let entry = entries[id], entry.isPlain != isPlain else { return }
        entries[id]?.isPlain = isPlain
        count(entry.network) { $0.plain += isPlain ? 1 : -1 }
    }

    /// - Returns: whether it is still there.
    private mutating func move(_ id: ID, to network: String) -> Bool {
        guard let entry = entries[id] else { return false }
        if entry.phase == .upgrading { set(id, .undecided) }
        guard entry.network != network else { return true }
        let plain = entry.isPlain ? 1 : 0
        count(entry.network) { load in
            load.open -= 1
            load.plain -= plain
        }
        count(network) { load in
            load.open += 1
            load.plain += plain
        }
        entries[id]?.network = network
        return true
    }

    private mutating func count(_ network: String?, _ change: (inout Load) -> Void) {
        change(&total)
        guard let network else { return }
        var load = loads[network] ?? Load()
        change(&load)
        loads[network] = load.isEmpty ? nil : load
    }

    private mutating func next() -> UInt64 {
        changes += 1
        return changes
    }

    /// Goes through all of them: there are few, and nobody is looked for while no bound is met.
    ///
    /// - Parameter isPlain: only one whose end makes room for a plain request.
    private func longestWaiting(of network: String?, isPlain: Bool = false) -> ID? {
        entries.lazy.filter { _, entry in
            entry.phase.rawValue <= Phase.undecided.rawValue && (network == nil || entry.network == network)
                && (!isPlain || entry.isPlain)
        }.min { ($0.value.phase.rawValue, $0.value.since) < ($1.value.phase.rawValue, $1.value.since) }?.key
    }
}

/// The bounds of a node's connections, as metrics and the log name them.
package enum ConnectionBound: String, CaseIterable, Sendable {
    /// `limits.plainConnections`.
    case plain
    /// `limits.plainConnectionsPerAddress`.
    case plainPerAddress = "plain_per_address"
    /// `limits.connectionsPerAddress`.
    case socketsPerAddress = "per_address"
    /// `limits.connections` and `limits.admittedPerSecond`.
    case admission
}
