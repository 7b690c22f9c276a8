package import BatonCore

/// By what records of one message are found: its id, its ref, and its places in its recipients' inboxes. Records of the
/// recipients' nodes know only the latter, so what is learned at one node is asked for at the others.
package struct TraceKeys: Hashable, Sendable {
    /// A ref of one device, or of any.
    struct Ref: Hashable, Sendable {
        let hash: UInt64
        /// Zero: any device's.
        let device: UInt64
    }

    private(set) var refs: Set<Ref> = []
    package private(set) var messages: Set<MessageID> = []
    /// Inbox sequences by user.
    package private(set) var places: [UserID: Set<InboxSequence>] = [:]
    /// Commits of the process whose records these are.
    private(set) var commits: Set<UInt32> = []

    package init() {}

    /// - Returns: nil for a text that is neither a message's id nor could be a ref.
    package init?(_ text: String) {
        if let message = MessageID(text) {
            messages = [message]
        } else {
            guard (1...Limits.Message.refBytes).contains(text.utf8.count) else { return nil }
            refs = [Ref(hash: RefHash.of(text), device: 0)]
        }
    }

    package mutating func add(_ message: MessageID) {
        guard messages.count < Limits.Trace.keys else { return }
        messages.insert(message)
    }

    package mutating func add(_ sequence: InboxSequence, of user: UserID) {
        guard placeCount < Limits.Trace.keys else { return }
        places[user, default: []].insert(sequence)
    }

    mutating func add(ref hash: UInt64, of device: UInt64) {
        guard refs.count < Limits.Trace.keys else { return }
        refs.insert(Ref(hash: hash, device: device))
    }

    mutating func add(commit: UInt32) {
        guard commits.count < Limits.Trace.keys else { return }
        commits.insert(commit)
    }

    func contains(ref hash: UInt64, of device: UInt64) -> Bool {
        refs.contains(Ref(hash: hash, device: 0)) || refs.contains(Ref(hash: hash, device: device))
    }

    package var placeCount: Int { places.values.reduce(0) { $0 + $1.count } }

    /// For another node's rings: without what only this one's mean.
    package var forOthers: TraceKeys {
        var keys = self
        keys.commits = []
        return keys
    }
}
