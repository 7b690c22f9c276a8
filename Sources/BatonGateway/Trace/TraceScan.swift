import BatonCore

/// Picks the records of one message out of rings, and learns on the way by what else they are found.
///
/// What it learns late in a ring may stand for records before: `TraceKeys` that have grown are asked for once more.
package struct TraceScan: Sendable {
    package private(set) var keys: TraceKeys
    package private(set) var entries: [TraceEntry] = []
    /// There was more than an answer holds.
    package private(set) var isTruncated = false
    /// Where in `entries` those stand of which only one is kept.
    private var only: [Only: Int] = [:]

    private struct Only: Hashable {
        let kind: TraceRecord.Kind
        let device: UInt64
        let place: InboxSequence
    }

    private enum Keep {
        case every
        /// The first one of the device behind a place.
        case first(InboxSequence)
        case last
    }

    /// Times that all rings are gone through: ids, then what belongs to them, then what that belongs to.
    package static let passes = 3

    package init(_ keys: TraceKeys) {
        self.keys = keys
    }

    /// Goes through the files of one life of a node, as often as something new is learned.
    package static func over(_ files: [TraceFile], _ keys: TraceKeys) -> TraceScan {
        var scan = TraceScan(keys)
        for _ in 0..<passes {
            let known = scan.keys
            scan.begin(again: known)
            for file in files { scan.look(at: file) }
            if scan.keys == known { break }
        }
        return scan
    }

    /// Looks at up to so many records, beginning at a position.
    ///
    /// - Returns: where to go on; nil at the end.
    mutating func look(at ring: TraceRing, from position: UInt64, limit: Int, loop: Int) -> UInt64? {
        let start = max(position, ring.oldest)
        let end = min(ring.written, start &+ UInt64(limit))
        var position = start
        while position < end {
            if let record = ring[position] { look(at: record, on: loop, anchor: ring.anchor) }
            position += 1
        }
        return end < ring.written ? end : nil
    }

    package mutating func look(at file: TraceFile) {
        for position in file.positions {
            look(at: file[position], on: Int(file.header.loop), anchor: file.header.anchor)
        }
    }

    mutating func look(at record: TraceRecord, on loop: Int, anchor: TraceAnchor) {
        guard let kind = TraceRecord.Kind(rawValue: record.kind), let keep = keeps(kind, record) else { return }
        let only: Only? =
            switch keep {
            case .every: nil
            case .first(let place): Only(kind: kind, device: record.device, place: place)
            case .last: Only(kind: kind, device: record.device, place: .zero)
            }
        if let only, let index = self.only[only] {
            if case .last = keep { entries[index] = TraceEntry(kind, record, on: loop, anchor: anchor) }
            return
        }
        guard entries.count < Limits.Trace.entries else {
            isTruncated = true
            return
        }
        if let only { self.only[only] = entries.count }
        entries.append(TraceEntry(kind, record, on: loop, anchor: anchor))
    }

    private mutating func keeps(_ kind: TraceRecord.Kind, _ record: TraceRecord) -> Keep? {
        switch kind {
        case .received, .rejected: return keys.contains(ref: record.place, of: record.device) ? .every : nil
        case .accepted:
            guard let message = record.message,
                keys.messages.contains(message) || keys.contains(ref: record.place, of: record.device)
            else { return nil }
            keys.add(message)
            keys.add(ref: record.place, of: record.device)
            keys.add(commit: record.number)
            return .every
        case .committed: return keys.commits.contains(record.number) ? .every : nil
        case .published:
            guard let message = record.message, keys.messages.contains(message) else { return nil }
            keys.add(InboxSequence(rawValue: record.place), of: UserID(rawValue: record.user))
            return .every
        case .written, .blocked, .missed, .acknowledged, .stored, .opened, .closed: return keeps(event: kind, record)
        }
    }

    /// Records about a user's inbox.
    private mutating func keeps(event kind: TraceRecord.Kind, _ record: TraceRecord) -> Keep? {
        let (user, place) = (UserID(rawValue: record.user), InboxSequence(rawValue: record.place))
        if kind == .written, let message = record.message, keys.messages.contains(message) {
            keys.add(place, of: user)
            return .every
        }
        guard let wanted = keys.places[user] else { return nil }
        let before = InboxSequence(rawValue: record.high)
        switch kind {
        case .written: return wanted.contains(place) ? .every : nil
        // What was written by then was not held back.
        case .blocked: return wanted.contains { $0 > before } ? .last : nil
        case .missed, .stored: return wanted.filter { $0 <= place }.max().map { .first($0) }
        case .acknowledged: return wanted.contains { $0 > before && $0 <= place } ? .every : nil
        // Of connections from before the event, the last one tells why it was not written at once.
        case .opened:
            guard let least = wanted.filter({ $0 > place }).min() else { return nil }
            return before < least ? .last : .every
        case .closed:
            guard let least = wanted.filter({ $0 > before }).min() else { return nil }
            return place < least ? .last : .every
        case .received, .rejected, .committed, .accepted, .published: return nil
        }
    }

    /// Goes over all the rings once more with what was learned, where that is more than before.
    package mutating func begin(again keys: TraceKeys) {
        self = TraceScan(keys)
    }
}
