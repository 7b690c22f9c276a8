import BatonClient
import BatonCore
import BatonHistory
import BatonRedis
import BatonTestKit

/// What must hold in the end. A condition says what is missing, or nil.
extension Simulation {
    /// Every device is connected, has applied and acknowledged its whole inbox, and has nothing left to send.
    func isQuiet() -> String? {
        for node in nodes where !node.isUp { return "\(node.name) is not up" }
        for device in devices where device.isRevoked {
            guard case .stopped = device.phase else { return "\(device.name) is revoked, and \(device.standing)" }
        }
        for device in living {
            if case .stopped(let why) = device.phase { return "\(device.name) stopped: \(why)" }
            guard device.isQuiet else { return "\(device.name) is not caught up: \(device.standing)" }
            guard let state = disk.state(of: device.user, device.device) else { return "\(device.name) is revoked" }
            guard device.session.applied == state.head.rawValue else {
                return "\(device.name) applied \(device.session.applied) of \(state.head)"
            }
            guard state.cursor == state.head else {
                return "\(device.name) acknowledged \(state.cursor) of \(state.head)"
            }
        }
        return nil
    }

    /// Those that were not revoked.
    private var living: [SimulatedDevice] { devices.filter { !$0.isRevoked } }

    /// The first living device of each user.
    private var readers: [SimulatedDevice] {
        var users: Set<UserID> = []
        return living.filter { users.insert($0.user).inserted }
    }

    /// Every user reads every conversation's last message of others, on the first of their devices; not once more where
    /// that has told so before.
    func readAll() {
        for device in readers {
            for id in device.history.latest.values.sorted(by: { $0.description < $1.description })
            where device.told[id.conversation] ?? .zero < id.sequence {
                device.read(id)
            }
        }
    }

    func isEverythingRead() -> String? {
        for device in readers {
            for (conversation, id) in device.history.latest {
                let unread = disk.messages.unread(of: device.user, in: conversation)
                if unread > 0 { return "\(device.name) has \(unread) unread of \(SimulationNames.short(id))" }
            }
        }
        return isQuiet()
    }

    /// Every device knows that every other user is online, unless all their devices were revoked. Of those who are no
    /// acquaintances nobody is shown to be.
    func isPresenceRight() -> String? {
        let online = Set(living.map(\.user))
        for device in living {
            for user in device.watched {
                let isKnown = disk.acquaintances.know(device.user, user)
                let isRight =
                    isKnown ? device.known[user] == online.contains(user) : device.known[user] ?? false == false
                if isRight { continue }
                let belief = device.known[user].map { $0 ? "online" : "offline" } ?? "nothing"
                return "\(device.name) believes that \(SimulationNames.short(user)) is \(belief)"
            }
        }
        return isQuiet()
    }

    /// Redis says who is connected, where and by which connection, and nothing else.
    func isRegistryRight() -> String? {
        var channels: Set<String> = []
        var wanted: [String: [String: String]] = [:]
        for node in nodes {
            for connection in node.life?.connections ?? [] {
                let key = Keys.session(connection.user)
                let generation = connection.generation.map { "\($0)" } ?? "none"
                wanted[key, default: [:]]["\(connection.deviceID)"] = "node=\(node.name) \(generation)"
                channels.insert(Keys.channel(.user(connection.user)))
            }
        }
        for device in living {
            let watched = device.watched.filter { disk.acquaintances.know(device.user, $0) }
            channels.formUnion(watched.map { Keys.channel(.watch($0)) })
        }
        for device in devices {
            let key = Keys.session(device.user)
            let found = redis.keys.hash(key).mapValues { value -> String in
                let text = String(decoding: value, as: UTF8.self)
                let words = ["node=", "generation="].map { SimulatedKeys.word($0, in: text) ?? "" }
                return "node=\(words[0]) \(words[1])"
            }
            guard found == wanted[key] ?? [:] else {
                let known = [found, wanted[key] ?? [:]].map { $0.sorted { $0.key < $1.key }.map { "\($0): \($1)" } }
                return "sessions of \(device.name)'s user are \(known[0]), and not \(known[1])"
            }
            if redis.keys.exists(Keys.presence(device.user)) != (wanted[key] != nil) {
                return "presence of \(device.name)'s user is wrong"
            }
        }
        guard redis.channels == channels.sorted() else { return "subscribed are \(redis.channels)" }
        return isQuiet()
    }

    /// A session that somebody removed must not be the one of a connection that lives.
    func checkRemoved(_ key: String, of device: String, _ text: String) {
        for connection in nodes.flatMap({ $0.life?.connections ?? [] })
        where connection.isOpen && Keys.session(connection.user) == key && "\(connection.deviceID)" == device {
            let removed = Session(user: connection.user, device: connection.deviceID, text: text)
            guard removed?.generation == connection.generation, removed?.since == connection.since else { continue }
            fail("session_deleted", "the session of a living connection of u\(connection.user.rawValue): \(text)")
        }
    }

    /// A session that was written must not be of an older connection than the one that was there.
    func checkReplaced(_ key: String, _ before: String, _ after: String) {
        let numbers = [before, after].map { SimulatedKeys.word("generation=", in: $0) ?? "" }
        guard numbers[1].utf8.lexicographicallyPrecedes(numbers[0].utf8) else { return }
        fail("session_went_back", "\(key) was \(before), and then \(after)")
    }

    /// No node keeps a connection that a newer one of the same device, on whatever node, has displaced.
    func isDisplacedGone() -> String? {
        let open = nodes.flatMap { $0.life?.connections ?? [] }.filter(\.isOpen)
        for older in open {
            guard let number = older.generation, number != .unnumbered else { continue }
            for newer in open where newer.deviceID == older.deviceID && newer.generation ?? .unnumbered > number {
                return "\(older.nodeName) keeps connection \(number) of u\(older.user.rawValue), which "
                    + "\(newer.generation ?? .unnumbered) on \(newer.nodeName) has displaced"
            }
        }
        return nil
    }

    func checkHistories() {
        for device in devices {
            for how in device.history.violations { fail("protocol", "\(device.name): \(how)") }
        }
        let verdict = HistoryChecker.check(devices.compactMap { $0.history.finished(isRevoked: $0.isRevoked) })
        for (invariant, violation) in verdict.examples.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            fail(invariant.rawValue, violation.what)
        }
    }

    var accepted: Int { devices.reduce(0) { $0 + $1.history.acceptedCount } }
    var applied: Int { devices.reduce(0) { $0 + $1.history.appliedCount } }
}

extension SimulatedDevice {
    /// Where it stands, for people.
    var standing: String {
        let state =
            switch phase {
            case .idle: "idle"
            case .connecting: "connecting"
            case .connected(let connection): "connected to \(connection.nodeName)"
            case .waiting: "waiting"
            case .stopped(let why): "stopped (\(why))"
            }
        return "\(state), delivered \(session.delivered), applied \(session.applied), "
            + "\(session.outbox.count) to send"
    }
}
