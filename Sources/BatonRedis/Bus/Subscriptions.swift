import BatonCore

/// What an event loop wants to be subscribed to, and what Redis has confirmed.
///
/// Each channel has at most one SUBSCRIBE or UNSUBSCRIBE under way; when its reply comes the wanted and the actual state
/// are compared again. So any order of calls and replies ends where the last call wanted it. At most `window` channels
/// are under way at once: resubscribing very many after a reconnect never fills the connection's line.
struct Subscriptions: ~Copyable {
    enum Channel: Hashable {
        case bus(BusChannel)
        /// The loop's own probes.
        case probe
    }

    enum Order: Equatable {
        case subscribe([Channel])
        case unsubscribe(Channel)
    }

    typealias Confirmation = (Bool) -> Void

    private struct Entry {
        var isWanted: Bool
        var isPresent = false
        var isQueued = false
        var isUnderWay = false
        /// Counts for `subscriptionsRestored`.
        var isRestored = true
        var confirmations: [Confirmation] = []
    }

    let window: Int
    /// Channels of one SUBSCRIBE.
    let batch: Int
    private var entries: [Channel: Entry] = [:]
    private var queue: [Channel] = []
    private var queueStart = 0
    private var underWay = 0
    private var unrestored = 0
    private var isConnected = false

    init(window: Int, batch: Int) {
        self.window = window
        self.batch = batch
    }

    /// All that was wanted when the connection was made is confirmed.
    var isRestored: Bool { isConnected && unrestored == 0 }

    var wanted: Int { entries.values.count { $0.isWanted } }

    func isWanted(_ channel: Channel) -> Bool { entries[channel]?.isWanted ?? false }

    /// - Returns: what to call `confirmed` with right away; nil where it waits for Redis.
    mutating func subscribed(_ channel: Channel, confirmed: @escaping Confirmation) -> Bool? {
        var entry = entries[channel] ?? Entry(isWanted: true)
        entry.isWanted = true
        defer { entries[channel] = entry }
        guard isConnected else { return false }
        if entry.isPresent, !entry.isUnderWay { return true }
        entry.confirmations.append(confirmed)
        enqueue(channel, &entry)
        return nil
    }

    /// - Returns: closures to call with false, since the subscription was not confirmed.
    mutating func unsubscribed(_ channel: Channel) -> [Confirmation] {
        guard var entry = entries[channel], entry.isWanted else { return [] }
        entry.isWanted = false
        let waiting = entry.confirmations
        entry.confirmations = []
        restore(&entry)
        if entry.isPresent, !entry.isUnderWay { enqueue(channel, &entry) }
        // A queued channel that Redis does not know is skipped when its turn comes.
        let isForgotten = !entry.isPresent && !entry.isUnderWay && !entry.isQueued
        entries[channel] = isForgotten ? nil : entry
        return waiting
    }

    /// The next command to send, nil where there is none or enough are under way.
    mutating func nextOrder() -> Order? {
        var channels: [Channel] = []
        while isConnected, underWay < window, queueStart < queue.count, channels.count < batch {
            let channel = queue[queueStart]
            guard var entry = entries[channel], entry.isQueued else {
                advanceQueue()
                continue
            }
            if entry.isWanted != entry.isPresent {
                // An UNSUBSCRIBE is a command of its own; it waits for the next turn.
                if !entry.isWanted, !channels.isEmpty { break }
                entry.isUnderWay = true
                underWay += 1
            }
            entry.isQueued = false
            advanceQueue()
            let isSubscribe = entry.isWanted
            let isForgotten = !entry.isWanted && !entry.isPresent
            entries[channel] = isForgotten ? nil : entry
            guard entry.isUnderWay else { continue }
            if !isSubscribe { return .unsubscribe(channel) }
            channels.append(channel)
        }
        return channels.isEmpty ? nil : .subscribe(channels)
    }

    /// Redis confirmed a SUBSCRIBE (or, with false, an UNSUBSCRIBE).
    ///
    /// - Returns: closures to call with true, since the subscription is confirmed.
    mutating func confirmed(_ channel: Channel, isPresent: Bool) -> [Confirmation] {
        guard var entry = entries[channel], entry.isUnderWay else { return [] }
        underWay -= 1
        entry.isUnderWay = false
        entry.isPresent = isPresent
        guard entry.isWanted == isPresent else {
            enqueue(channel, &entry)
            entries[channel] = entry
            return []
        }
        let waiting = entry.confirmations
        entry.confirmations = []
        if isPresent { restore(&entry) }
        entries[channel] = isPresent ? entry : nil
        return waiting
    }

    mutating func connected() {
        isConnected = true
        unrestored = entries.count
        for channel in Array(entries.keys) {
            entries[channel]?.isRestored = false
            entries[channel]?.isQueued = true
            queue.append(channel)
        }
    }

    /// - Returns: closures to call with false, since the subscription was not confirmed.
    mutating func disconnected() -> [Confirmation] {
        isConnected = false
        queue = []
        queueStart = 0
        underWay = 0
        unrestored = 0
        let waiting = entries.values.flatMap(\.confirmations)
        entries = entries.filter { $0.value.isWanted }.mapValues { _ in Entry(isWanted: true) }
        return waiting
    }

    private mutating func enqueue(_ channel: Channel, _ entry: inout Entry) {
        guard isConnected, !entry.isQueued, !entry.isUnderWay else { return }
        entry.isQueued = true
        queue.append(channel)
    }

    private mutating func restore(_ entry: inout Entry) {
        guard !entry.isRestored else { return }
        entry.isRestored = true
        unrestored -= 1
    }

    private mutating func advanceQueue() {
        queueStart += 1
        guard queueStart == queue.count else { return }
        queue.removeAll(keepingCapacity: queueStart <= window)
        queueStart = 0
    }
}
