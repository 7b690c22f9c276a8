import BatonCore
import BatonHistory

/// A run that never was: an ideal relay, its users and their histories, from a seed. Everything that the checker looks
/// at happens in it, and nothing goes wrong.
struct ModelRun {
    private struct Device {
        let name: String
        let user: Int
        var cursor = 0
        var connection: UInt64 = 0
        var isOnline = false
        var records: [HistoryRecord] = []
    }

    private enum Event {
        case message(conversation: String, sequence: UInt64, device: Int, ref: String, body: UInt64)
        case receipt(conversation: String, user: Int, delivered: UInt64, read: UInt64)
    }

    private struct Marks {
        var delivered: UInt64 = 0
        var read: UInt64 = 0
    }

    private static let millisecond: Int64 = 1_000_000
    private static let users = 4

    private var generator: SeededGenerator
    private var now: Int64 = 0
    private var devices: [Device] = []
    private var inboxes: [[Event]] = Array(repeating: [], count: ModelRun.users)
    private var sequences: [String: UInt64] = [:]
    private var senders: [String: [Int]] = [:]
    private var marks: [String: [Int: Marks]] = [:]
    private var bodies: UInt64 = 0
    private var accepted = 0
    private var cluster: [ClusterRecord] = []

    private init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        for user in 0..<Self.users {
            for number in 0...(user % 2) { devices.append(Device(name: "d\(user)\(number)", user: user)) }
        }
    }

    static func histories(seed: UInt64, steps: Int = 120) -> RunHistories {
        var run = ModelRun(seed: seed)
        return run.histories(steps: steps)
    }

    // MARK: The run

    private mutating func histories(steps: Int) -> RunHistories {
        for device in devices.indices {
            add(.device(user: user(devices[device].user), device: devices[device].name), device)
            connect(device)
        }
        for user in 0..<Self.users { for peer in peers(of: user) { send(from: device(of: user), to: peer) } }
        for device in devices.indices { watch(device) }
        stage(.baseline)
        stage(.load)
        for _ in 0..<steps { step() }
        for device in devices.indices where !devices[device].isOnline { connect(device) }
        wait(seconds: 30)
        for user in 0..<Self.users { readAll(user) }
        stage(.settled)
        for device in devices.indices { askUnread(device) }
        stage(.end)
        for device in devices.indices { disconnect(device, isClean: true) }
        let run = ClusterRecord.Run(seed: 0, command: "", wanted: accepted, began: 0)
        return RunHistories(
            devices: devices.compactMap { try? DeviceHistory(name: $0.name, records: $0.records) },
            cluster: ClusterHistory(records: [ClusterRecord(at: 0, .run(run))] + cluster))
    }

    private mutating func step() {
        let device = Int.random(in: 0..<devices.count, using: &generator)
        let user = devices[device].user
        switch Int.random(in: 0..<20, using: &generator) {
        case 0 where devices[device].isOnline:
            disconnect(device, isClean: Bool.random(using: &generator))
            // Long enough for everybody to be told that the user is gone.
            if !devices.contains(where: { $0.user == user && $0.isOnline }) {
                wait(seconds: 10)
                tell(user, isOnline: false)
                wait(seconds: 90)
            }
        case 1...2 where devices[device].isOnline:
            disconnect(device, isClean: true)
            connect(device)
        case 3...4 where !devices[device].isOnline: connect(device)
        case 5: readAll(user)
        case 6 where devices[device].isOnline: askUnread(device)
        case 7: wait(seconds: 20)
        case 8 where devices[device].isOnline: type(on: device)
        default:
            guard devices[device].isOnline, let peer = peers(of: user).randomElement(using: &generator) else { return }
            send(from: device, to: peer)
        }
    }

    // MARK: Connections and presence

    private mutating func connect(_ device: Int) {
        let user = devices[device].user
        let isFirst = !devices.contains { $0.user == user && $0.isOnline }
        devices[device].connection += 1
        let (number, node) = (devices[device].connection, "n\(Int.random(in: 1...2, using: &generator))")
        for change in [HistoryRecord.Connection.Change.opened(address: node), .welcomed(node: node), .live] {
            add(.connection(.init(number, change)), device)
        }
        devices[device].isOnline = true
        watch(device)
        if isFirst { tell(user, isOnline: true) }
        deliver(to: device)
    }

    private mutating func disconnect(_ device: Int, isClean: Bool) {
        add(.connection(.init(devices[device].connection, .ended(code: nil, isClean: isClean, why: "closed"))), device)
        devices[device].isOnline = false
    }

    private mutating func watch(_ device: Int) {
        let watched = peers(of: devices[device].user)
        add(.watching(watched.map(user)), device)
        for peer in watched {
            let isOnline = devices.contains { $0.user == peer && $0.isOnline }
            add(.presence(user: user(peer), isOnline: isOnline), device)
        }
    }

    private mutating func tell(_ user: Int, isOnline: Bool) {
        for device in devices.indices where devices[device].isOnline && peers(of: devices[device].user).contains(user) {
            add(.presence(user: self.user(user), isOnline: isOnline), device)
        }
    }

    // MARK: Messages

    private mutating func send(from device: Int, to peer: Int) {
        let sender = devices[device].user
        let id = conversation(sender, peer)
        bodies += 1
        let ref = "r\(bodies)"
        add(.invoked(ref: ref, conversation: id, recipients: [user(peer)], body: bodies), device)
        add(.sent(ref: ref, connection: devices[device].connection), device)
        sequences[id, default: 0] += 1
        senders[id, default: []].append(sender)
        let sequence = sequences[id] ?? 0
        add(.ok(ref: ref, conversation: id, sequence: sequence), device)
        accepted += 1
        let event = Event.message(conversation: id, sequence: sequence, device: device, ref: ref, body: bodies)
        inboxes[peer].append(event)
        if devices.count(where: { $0.user == sender }) > 1 { inboxes[sender].append(event) }
        deliver()
    }

    private mutating func type(on device: Int) {
        let typist = devices[device].user
        guard let peer = peers(of: typist).randomElement(using: &generator) else { return }
        let (id, isActive) = (conversation(typist, peer), Bool.random(using: &generator))
        add(.typed(conversation: id, recipients: [user(peer)], isActive: isActive), device)
        for other in devices.indices where devices[other].user == peer && devices[other].isOnline {
            add(.typing(conversation: id, user: user(typist), isActive: isActive), other)
        }
    }

    private mutating func deliver() {
        for device in devices.indices where devices[device].isOnline { deliver(to: device) }
    }

    private mutating func deliver(to device: Int) {
        let user = devices[device].user
        while devices[device].cursor < inboxes[user].count {
            let event = inboxes[user][devices[device].cursor]
            devices[device].cursor += 1
            let inbox = UInt64(devices[device].cursor)
            switch event {
            case .message(let id, let sequence, let sender, let ref, let body):
                add(
                    .applied(
                        .init(
                            inbox: inbox, conversation: id, sequence: sequence, device: devices[sender].name, ref: ref,
                            body: body)), device)
                add(.acked(inbox: inbox), device)
                if devices[sender].user != user, marks[id]?[user]?.delivered ?? 0 < sequence {
                    marks[id, default: [:]][user, default: Marks()].delivered = sequence
                    inboxes[devices[sender].user].append(receipt(id, of: user))
                    deliver()
                }
            case .receipt(let id, let other, let delivered, let read):
                add(
                    .receipt(
                        .init(
                            inbox: inbox, conversation: id, user: self.user(other), delivered: delivered, read: read)),
                    device)
                add(.acked(inbox: inbox), device)
            }
        }
    }

    private func receipt(_ id: String, of user: Int) -> Event {
        let marks = marks[id]?[user] ?? Marks()
        return .receipt(conversation: id, user: user, delivered: marks.delivered, read: marks.read)
    }

    /// A user reads all that any of their devices has.
    private mutating func readAll(_ user: Int) {
        guard let device = devices.firstIndex(where: { $0.user == user && $0.isOnline }) else { return }
        for peer in peers(of: user) {
            let id = conversation(user, peer)
            guard let mark = marks[id]?[user], mark.delivered > mark.read else { continue }
            add(.read(conversation: id, sequence: mark.delivered), device)
            marks[id]?[user]?.read = mark.delivered
            inboxes[peer].append(receipt(id, of: user))
            if devices.count(where: { $0.user == user }) > 1 { inboxes[user].append(receipt(id, of: user)) }
            deliver()
        }
    }

    private mutating func askUnread(_ device: Int) {
        let user = devices[device].user
        for peer in peers(of: user) {
            let id = conversation(user, peer)
            let read = marks[id]?[user]?.read ?? 0
            let count = (senders[id] ?? []).dropFirst(Int(read)).count { $0 != user }
            add(.unread(conversation: id, count: UInt64(count), read: read, last: sequences[id] ?? 0), device)
        }
    }

    // MARK: Names, time and the harness

    private func user(_ number: Int) -> String { "u\(number)" }
    private func peers(of user: Int) -> [Int] { [(user + 1) % Self.users, (user + Self.users - 1) % Self.users] }
    private func conversation(_ one: Int, _ other: Int) -> String { "u\(min(one, other))-u\(max(one, other))" }
    private func device(of user: Int) -> Int { devices.firstIndex { $0.user == user } ?? 0 }

    private mutating func add(_ event: HistoryRecord.Event, _ device: Int) {
        now += Int64.random(in: 1...3, using: &generator) * Self.millisecond
        devices[device].records.append(HistoryRecord(at: now, event))
    }

    private mutating func wait(seconds: Int64) { now += seconds * 1_000 * Self.millisecond }

    private mutating func stage(_ stage: ClusterRecord.Stage) {
        now += Self.millisecond
        cluster.append(ClusterRecord(at: now, .stage(stage)))
        for node in ["n1", "n2"] {
            cluster.append(
                ClusterRecord(
                    at: now,
                    .node(
                        .init(
                            node: node, readiness: .ready, connections: devices.count(where: \.isOnline),
                            residentKiB: 40_000, descriptors: 60))))
        }
        cluster.append(
            ClusterRecord(at: now, .redis(.init(sessions: devices.count(where: \.isOnline), channels: 12))))
    }
}
