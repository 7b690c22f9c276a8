/// When a user was online, and when certainly not, by what all of the user's devices say of their connections.
///
/// Between the beginning of an attempt to connect and its welcome it may be either.
struct UserTimeline {
    struct Stretch {
        let from: Int64
        var to: Int64
        let isOnline: Bool
        /// The line that begins it.
        let spot: HistoryChecker.Spot
        /// Where the user was connected, for one who was online.
        var nodes: [String]
        /// From here on nobody may take the user for online; of no meaning for one who was online.
        let offlineFrom: Int64
    }

    private struct Change {
        let at: Int64
        let online: Int
        let attempts: Int
        let spot: HistoryChecker.Spot
        var node: String?
        /// A connection ended, and the relay may not know it yet.
        var isSilentEnd = false
    }

    private(set) var stretches: [Stretch] = []

    /// - Parameter devices: the user's histories, with their numbers.
    init(_ devices: [(history: Int, timeline: DeviceTimeline)], bounds: HistoryBounds) {
        // What comes after a device's last line is not known.
        let end = devices.map(\.timeline.end).min() ?? 0
        let changes = devices.flatMap { Self.changes($0.history, $0.timeline) }.filter { $0.at <= end }
            .sorted { ($0.at, -$0.online) < ($1.at, -$1.online) }
        var (online, attempts, silentEnd) = (0, 0, Int64?.none)
        for (place, change) in changes.enumerated() {
            let wasOnline = online > 0
            online += change.online
            attempts += change.attempts
            if change.isSilentEnd { silentEnd = change.at }
            let to = place + 1 < changes.count ? changes[place + 1].at : end
            if online > 0 {
                let nodes = change.node.map { [$0] } ?? []
                if wasOnline, let last = stretches.indices.last {
                    stretches[last].to = to
                    stretches[last].nodes += nodes
                } else {
                    stretches.append(
                        Stretch(
                            from: change.at, to: to, isOnline: true, spot: change.spot, nodes: nodes,
                            offlineFrom: .max))
                }
            } else if attempts == 0, to > change.at {
                let orderly = change.at.saturatingAdding(bounds.presenceAfterEnd)
                let silent = silentEnd.map { $0.saturatingAdding(bounds.presenceAfterSilence) } ?? orderly
                stretches.append(
                    Stretch(
                        from: change.at, to: to, isOnline: false, spot: change.spot, nodes: [],
                        offlineFrom: max(orderly, silent)))
            }
        }
    }

    private static func changes(_ history: Int, _ timeline: DeviceTimeline) -> [Change] {
        timeline.connections.flatMap { connection -> [Change] in
            guard let welcomed = connection.welcomed else {
                // An attempt that failed may have come far enough for the relay to know of it.
                guard let ended = connection.ended else { return [] }
                let spot = HistoryChecker.Spot(history: history, index: ended.index)
                return [
                    Change(at: connection.opened, online: 0, attempts: 1, spot: spot),
                    Change(at: ended.at, online: 0, attempts: -1, spot: spot, isSilentEnd: true),
                ]
            }
            let spot = HistoryChecker.Spot(history: history, index: welcomed.index)
            var changes = [
                Change(at: connection.opened, online: 0, attempts: 1, spot: spot),
                Change(at: welcomed.at, online: 1, attempts: -1, spot: spot, node: connection.node),
            ]
            if let ended = connection.ended {
                changes.append(
                    Change(
                        at: ended.at, online: -1, attempts: 0,
                        spot: HistoryChecker.Spot(history: history, index: ended.index), isSilentEnd: !ended.isClean))
            }
            return changes
        }
    }
}
