import BatonHistory

/// Plants histories: two users who write to each other, line by line, the way devices write them.
struct HistoryBuilder {
    static let conversation = "ann-bob"
    static let second: Int64 = 1_000_000_000

    private var records: [String: [HistoryRecord]] = [:]
    private var users: [String: String] = [:]
    private var order: [String] = []
    private var inboxes: [String: UInt64] = [:]
    private var cluster: [ClusterRecord] = []
    private var now: Int64 = 0

    /// Devices of `ann` (a1, ...) and `bob` (b1, ...).
    init(_ devices: String...) {
        for device in devices {
            users[device] = device.hasPrefix("a") ? "ann" : "bob"
            order.append(device)
            add(.device(user: users[device] ?? "", device: device), to: device)
        }
    }

    mutating func wait(seconds: Double) { now += Int64(seconds * Double(Self.second)) }

    mutating func add(_ event: HistoryRecord.Event, to device: String) {
        now += 1
        records[device, default: []].append(HistoryRecord(at: now, event))
    }

    /// A line of the harness' own history.
    mutating func cluster(_ event: ClusterRecord.Event) {
        now += 1
        cluster.append(ClusterRecord(at: now, event))
    }

    mutating func invoked(_ device: String, _ ref: String, body: UInt64) {
        let peer = users[device] == "ann" ? "bob" : "ann"
        add(.invoked(ref: ref, conversation: Self.conversation, recipients: [peer], body: body), to: device)
    }

    mutating func accepted(_ device: String, _ ref: String, at sequence: UInt64) {
        add(.ok(ref: ref, conversation: Self.conversation, sequence: sequence), to: device)
    }

    /// - Parameter inbox: the next place where it is not given.
    mutating func applied(
        _ device: String, _ sequence: UInt64, from sender: String, _ ref: String, body: UInt64, inbox: UInt64? = nil
    ) {
        let place = inbox ?? inboxes[device, default: 0] + 1
        inboxes[device] = place
        add(
            .applied(
                HistoryRecord.Applied(
                    inbox: place, conversation: Self.conversation, sequence: sequence, device: sender, ref: ref,
                    body: body)), to: device)
    }

    mutating func receipt(_ device: String, of user: String, delivered: UInt64, read: UInt64 = 0) {
        inboxes[device, default: 0] += 1
        add(
            .receipt(
                HistoryRecord.Receipt(
                    inbox: inboxes[device] ?? 0, conversation: Self.conversation, user: user, delivered: delivered,
                    read: read)), to: device)
    }

    mutating func read(_ device: String, _ sequence: UInt64) {
        add(.read(conversation: Self.conversation, sequence: sequence), to: device)
    }

    /// A message that the other user's first device gets, receipt included.
    mutating func exchange(_ ref: String, body: UInt64, at sequence: UInt64, from sender: String = "a1") {
        let recipient = sender == "a1" ? "b1" : "a1"
        invoked(sender, ref, body: body)
        accepted(sender, ref, at: sequence)
        applied(recipient, sequence, from: sender, ref, body: body)
        receipt(sender, of: users[recipient] ?? "", delivered: sequence)
    }

    /// A connection that is welcomed at once and live.
    mutating func connected(_ device: String, _ number: UInt64 = 1, to node: String = "n1") {
        for change in [HistoryRecord.Connection.Change.opened(address: node), .welcomed(node: node), .live] {
            add(.connection(.init(number, change)), to: device)
        }
    }

    mutating func ended(_ device: String, _ number: UInt64 = 1, isClean: Bool = true) {
        add(.connection(.init(number, .ended(code: nil, isClean: isClean, why: "closed"))), to: device)
    }

    mutating func ready(_ node: String = "n1", _ readiness: ClusterRecord.Readiness = .ready) {
        cluster(.node(.init(node: node, readiness: readiness)))
    }

    var histories: [DeviceHistory] {
        get throws(HistoryError) {
            var histories: [DeviceHistory] = []
            for device in order { histories.append(try DeviceHistory(name: device, records: records[device] ?? [])) }
            return histories
        }
    }

    /// - Parameter withCluster: with the harness' own history, even if it says nothing.
    func verdict(withCluster: Bool = false) throws -> HistoryVerdict {
        let isThere = withCluster || !cluster.isEmpty
        return HistoryChecker.check(try histories, cluster: isThere ? ClusterHistory(records: cluster) : nil)
    }

    /// The broken invariants.
    func broken(withCluster: Bool = false) throws -> Set<Invariant> {
        Set(try verdict(withCluster: withCluster).counts.keys)
    }

    /// The proof of a breach, as `history:line`.
    func proof(of invariant: Invariant, withCluster: Bool = false) throws -> [String] {
        try verdict(withCluster: withCluster).examples[invariant]?.evidence.map { "\($0.name):\($0.line)" } ?? []
    }
}
