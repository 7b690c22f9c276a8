import BatonGateway

/// Puts the entries of several nodes into one order, of which nodes' clocks are only a part: nobody delivers or
/// acknowledges a message that is not committed. A node whose clock says so is behind, at least by as much; its entries are
/// moved, and the shift is told.
struct TraceOrder {
    struct Moment {
        let life: Int
        let entry: TraceEntry
        /// Microseconds, shifted so that causes come before effects.
        let at: Int64
    }

    private(set) var moments: [Moment] = []
    /// Microseconds by which a life's times were moved, where they were.
    private(set) var shifts: [Int: Int64] = [:]
    /// When the send arrived for the first time, or what comes first.
    var start: Int64 { moments.first { $0.entry.kind == .received }?.at ?? moments.first?.at ?? 0 }

    init(_ lives: [[TraceEntry]]) {
        let accepted = lives.enumerated().flatMap { life, entries in
            entries.filter { $0.kind == .accepted && $0.reason == nil }.map { (life, $0.at) }
        }.first
        for (life, entries) in lives.enumerated() {
            var shift: Int64 = 0
            if let (origin, at) = accepted, life != origin,
                let first = entries.filter({ $0.isEffect }).map(\.at).min(), first < at
            {
                shift = at - first
                shifts[life] = shift
            }
            moments += entries.map { Moment(life: life, entry: $0, at: $0.at + shift) }
        }
        moments.sort { ($0.at, $0.entry.rank) < ($1.at, $1.entry.rank) }
    }
}

extension TraceEntry {
    /// Whether it can only have happened after the message was accepted somewhere.
    fileprivate var isEffect: Bool {
        switch kind {
        case .written, .missed, .acknowledged, .stored: true
        case .accepted: reason != nil
        case .received, .rejected, .committed, .published, .blocked, .opened, .closed: false
        }
    }

    /// The order of what happened at the same microsecond.
    fileprivate var rank: Int { 2 * Int(kind.rawValue) + (reason == nil ? 0 : 1) }
}
