/// What a node does with Redis, as far as it can fail by itself.
package enum RedisFunction: String, CaseIterable, Hashable, Sendable {
    /// Connecting: password, user, database, scripts.
    case login
    case sessions
    case presence
    /// The nodes' leases, and the clean-up after those that ran out.
    case leases
    /// Publishing: events and control messages.
    case hints
    /// Hearing what is published.
    case subscriptions
    /// Token buckets that all nodes share.
    case limits

    /// Does nothing but write.
    var writes: Bool {
        switch self {
        case .sessions, .presence, .leases, .limits: true
        case .login, .hints, .subscriptions: false
        }
    }

    static let writing = allCases.filter(\.writes)

    var bit: UInt8 { 1 << UInt8(Self.allCases.firstIndex(of: self) ?? 0) }
}
