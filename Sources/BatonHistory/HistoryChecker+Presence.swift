/// 4. What devices were told of the users whom they watch is the truth, within its bound.
extension HistoryChecker {
    /// A device watches users on one connection, up to the next time that it says whom.
    private struct Watch {
        let spot: Spot
        let users: [Int]
        let from: Int64
        let to: Int64
        let node: String
        /// For each user what it was told, in order.
        var told: [Int: [(at: Int64, isOnline: Bool, spot: Spot)]] = [:]
    }

    mutating func lookAtPresence() {
        var truth: [Int: UserTimeline] = [:]
        for (user, histories) in historiesOf {
            truth[user] = UserTimeline(histories.map { ($0, timelines[$0]) }, bounds: bounds)
        }
        let acquainted = acquaintances()
        for history in histories.indices {
            let own = users.number(histories[history].user)
            for watch in watches(of: history) {
                for user in watch.users {
                    let known = acquainted[Seat(conversation: own, owner: user)].map { $0 < watch.from } ?? false
                    for stretch in truth[user]?.stretches ?? []
                    where stretch.from < watch.to && stretch.to > watch.from {
                        judge(watch, user, stretch, mustKnow: known)
                    }
                }
            }
        }
    }

    /// For each pair of users since when both have written to the other. Others are not shown to each other.
    private func acquaintances() -> [Seat: Int64] {
        var first: [Seat: Int64] = [:]
        for (name, message) in sent {
            guard let ok = message.ok, let sender = userOf[name.device] else { continue }
            for recipient in message.recipients {
                let pair = Seat(conversation: sender, owner: recipient)
                first[pair] = min(first[pair] ?? .max, time(ok.at))
            }
        }
        return first.reduce(into: [:]) { acquainted, written in
            let answer = Seat(conversation: written.key.owner, owner: written.key.conversation)
            if let answered = first[answer] { acquainted[written.key] = max(written.value, answered) }
        }
    }

    private mutating func watches(of history: Int) -> [Watch] {
        var watches: [Watch] = []
        for (index, record) in histories[history].records.enumerated() {
            let spot = Spot(history: history, index: index)
            switch record.event {
            case .watching(let names):
                if let last = watches.popLast() {
                    watches.append(
                        Watch(
                            spot: last.spot, users: last.users, from: last.from, to: min(last.to, record.at),
                            node: last.node, told: last.told))
                }
                guard let connection = connection(of: history, at: record.at), let node = connection.node else {
                    continue
                }
                watches.append(
                    Watch(
                        spot: spot, users: names.map { users.number($0) }, from: record.at,
                        to: timelines[history].end(of: connection), node: node))
            case .presence(let name, let isOnline):
                guard let last = watches.indices.last else { continue }
                watches[last].told[users.number(name), default: []].append((record.at, isOnline, spot))
            default: break
            }
        }
        return watches
    }

    /// The connection that a device's client has at a moment: the one that was welcomed last.
    private func connection(of history: Int, at moment: Int64) -> DeviceTimeline.Connection? {
        timelines[history].connections.last { connection in
            guard let welcomed = connection.welcomed else { return false }
            return welcomed.at <= moment && moment <= timelines[history].end(of: connection)
        }
    }

    /// One stretch of the truth, as far as it was watched by a device that read, and nothing was broken.
    private mutating func judge(_ watch: Watch, _ user: Int, _ stretch: UserTimeline.Stretch, mustKnow: Bool) {
        let start = max(watch.from, stretch.from)
        let end = min(watch.to, stretch.to)
        for quiet in faults.quiet(
            stretch.nodes + [watch.node], from: start, to: end, aftermath: bounds.presenceAfterFault)
        {
            for part in timelines[watch.spot.history].reading(from: quiet.from, to: quiet.to) {
                var due = part.from.saturatingAdding(bounds.presenceAfterStart)
                if !stretch.isOnline { due = max(due, stretch.offlineFrom) }
                guard due < part.to else { continue }
                judge(watch, user, stretch, from: due, to: part.to, mustKnow: mustKnow)
            }
        }
    }

    /// From `due` on, what was told last is the truth.
    private mutating func judge(
        _ watch: Watch, _ user: Int, _ stretch: UserTimeline.Stretch, from due: Int64, to end: Int64, mustKnow: Bool
    ) {
        let told = watch.told[user] ?? []
        let state = stretch.isOnline ? "online" : "offline"
        let name = histories[watch.spot.history].name
        guard let before = told.last(where: { $0.at <= due }) else {
            if mustKnow {
                broken(
                    .presenceWrong, "\(name) was not told in time that \(users.name(user)) is \(state)", stretch.spot,
                    watch.spot)
            }
            return
        }
        let wrong = ([before] + told.filter { $0.at > due && $0.at < end }).first { $0.isOnline != stretch.isOnline }
        guard let wrong else { return }
        broken(
            .presenceWrong,
            "to \(name) \(users.name(user)) was \(wrong.isOnline ? "online" : "offline"), and was \(state) in truth",
            stretch.spot, wrong.spot)
    }
}
