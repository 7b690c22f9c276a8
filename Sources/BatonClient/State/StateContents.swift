import BatonProtocol

/// What a client's state file says, all records applied.
struct StateContents: Hashable, Sendable {
    private(set) var tokens: WireTokens?
    private(set) var position: InboxPosition?
    /// Who was logged in last: the messages that wait are theirs.
    private(set) var user: String?
    private var queued: [String: Queued] = [:]
    private var nextOrdinal: UInt64 = 0

    private struct Queued: Hashable, Sendable {
        let ordinal: UInt64
        let send: WireSend
    }

    /// Messages that are not settled, in the order in which they were queued.
    var messages: [WireSend] { queued.values.sorted { $0.ordinal < $1.ordinal }.map(\.send) }

    var isEmpty: Bool { tokens == nil && position == nil && queued.isEmpty }

    mutating func apply(_ record: StateRecord) {
        switch record {
        case .queued(let send):
            guard queued[send.ref] == nil else { return }
            queued[send.ref] = Queued(ordinal: nextOrdinal, send: send)
            nextOrdinal += 1
        case .settled(let ref): queued[ref] = nil
        case .position(let position): self.position = position
        case .tokens(let tokens):
            self.tokens = tokens
            user = tokens.user
        case .user(let user): self.user = user
        case .loggedOut:
            tokens = nil
            position = nil
        }
    }

    /// The shortest list of records that says the same.
    var records: [StateRecord] {
        var records: [StateRecord] = []
        if let tokens { records.append(.tokens(tokens)) }
        if let position { records.append(.position(position)) }
        records += messages.map { .queued($0) }
        // Last: an earlier version reads no further.
        if tokens == nil, let user, !queued.isEmpty { records.append(.user(user)) }
        return records
    }
}
