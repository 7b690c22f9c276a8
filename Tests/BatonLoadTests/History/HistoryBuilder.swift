import BatonLoad

/// Plants histories: two users who write to each other, line by line, the way devices write them.
struct HistoryBuilder {
    static let conversation = "ann-bob"

    private var records: [String: [HistoryRecord]] = [:]
    private var users: [String: String] = [:]
    private var order: [String] = []
    private var inboxes: [String: UInt64] = [:]
    private var now: Int64 = 0

    /// Devices of `ann` (a1, ...) and `bob` (b1, ...).
    init(_ devices: String...) {
        for device in devices {
            users[device] = device.hasPrefix("a") ? "ann" : "bob"
            order.append(device)
            add(.device(user: users[device] ?? "", device: device), to: device)
        }
    }

    mutating func add(_ event: HistoryRecord.Event, to device: String) {
        now += 1
        records[device, default: []].append(HistoryRecord(at: now, event))
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

    /// A message of `a1` that bob's first device gets, receipt included.
    mutating func exchange(_ ref: String, body: UInt64, at sequence: UInt64) {
        invoked("a1", ref, body: body)
        accepted("a1", ref, at: sequence)
        applied("b1", sequence, from: "a1", ref, body: body)
        receipt("a1", of: "bob", delivered: sequence)
    }

    var histories: [DeviceHistory] {
        get throws(HistoryError) {
            var histories: [DeviceHistory] = []
            for device in order { histories.append(try DeviceHistory(name: device, records: records[device] ?? [])) }
            return histories
        }
    }

    /// The broken invariants.
    func broken() throws -> Set<Invariant> { Set(HistoryChecker.check(try histories).counts.keys) }
}
