public import BatonCore
import Foundation
import Synchronization

/// The processes that use a store, as they tell each other in a file beside it: who they are, where they are reached, and what time
/// they think it is. It needs no Redis.
///
/// Each looks once a second, and writes its line. Nothing in the file is durable, and none of it is the truth of anything: a process
/// that cannot read or write it goes on with its own clock, and knows nobody.
public final class StorePeers: Sendable {
    private struct State {
        var own: StorePeer
        /// The own place in the file.
        var slot: Int?
        /// By id: the beat at the last look, and for how many looks it has stood.
        var seen: [UInt64: (beat: UInt64, looks: Int)] = [:]
        var peers: [StorePeer] = []
        var hasLeft = false
    }

    private let path: String
    private let clock: any CivilClock
    private let state: Mutex<State>
    private let correction = Atomic<Int64>(0)

    /// - Parameters:
    ///   - path: of the store.
    ///   - clock: the process' own.
    public init(store path: String, clock: any CivilClock, id: UInt64 = .random(in: 1 ... .max)) {
        self.path = path + "-peers"
        self.clock = clock
        state = Mutex(State(own: StorePeer(id: id, at: clock.now)))
    }

    /// By how many milliseconds the own clock is off what the processes agree on: to be added to it.
    public var clockCorrection: Int64 { correction.load(ordering: .relaxed) }

    /// Those that were there at the last look, dead ones included until their line is taken, and not this one. Of each node the
    /// latest start, by name.
    public var others: [StorePeer] {
        Self.latest(state.withLock { state in state.peers.filter { $0.id != state.own.id } })
    }

    /// Those that a file names, for who is none of them.
    public static func all(ofStore path: String) -> [StorePeer] { latest(slots(path + "-peers").compactMap { $0 }) }

    /// Tells who this process is.
    public func introduce(node: NodeID, incarnation: UInt64, address: String) {
        state.withLock { state in
            state.own.node = node
            state.own.incarnation = incarnation
            state.own.address = address
        }
    }

    /// Whether this process has a reason to doubt its clock.
    public func doubtClock(_ isDoubtful: Bool) { state.withLock { $0.own.isClockDoubtful = isDoubtful } }

    /// Whether others are in the file, and the clocks of all of them differ from this one's: it may be this one that is wrong, or
    /// they have ended. More looks tell.
    public var isContradicted: Bool {
        state.withLock { state in
            let now = clock.now.milliseconds
            let differences = state.peers.filter { $0.id != state.own.id }.map { Self.difference($0, now) }
            return !differences.isEmpty
                && differences.allSatisfy { $0.map { $0.magnitude > Limits.Store.clocksApartMilliseconds } ?? true }
        }
    }

    /// Reads what the others say, and says what is to be said. Blocks for as long as it takes to read and write some pages. For one
    /// thread at a time.
    public func look() {
        guard let lock = try? FileLock(path: path), lock.tryLock() else { return }
        defer { lock.unlock() }
        let slots = Self.slots(path)
        let saying = state.withLock { state -> (line: [UInt8], slot: Int)? in
            guard !state.hasLeft else { return nil }
            state.peers = slots.compactMap { $0 }
            note(&state)
            correction.store(vote(state), ordering: .relaxed)
            return say(slots, &state)
        }
        if let saying { Self.write(saying.line, to: path, at: saying.slot) }
    }

    /// The process ends: takes its line away, unless another process is at the file at this moment.
    public func leave() {
        let slot = state.withLock { state in
            state.hasLeft = true
            return state.slot
        }
        // A courtesy: who is silent is left out before long. So nobody is waited for.
        guard let slot, let lock = try? FileLock(path: path), lock.tryLock() else { return }
        let blank = [UInt8](repeating: UInt8(ascii: " "), count: StorePeer.lineBytes - 1) + [UInt8(ascii: "\n")]
        Self.write(blank, to: path, at: slot)
        lock.unlock()
    }

    // MARK: A look

    private func note(_ state: inout State) {
        var seen: [UInt64: (beat: UInt64, looks: Int)] = [:]
        for peer in state.peers {
            let before = state.seen[peer.id]
            // What has never moved is not known to live.
            let looks = before.map { $0.beat == peer.beat ? $0.looks + 1 : 0 } ?? Limits.Store.peerLooks
            seen[peer.id] = (peer.beat, looks)
        }
        state.seen = seen
    }

    private func vote(_ state: State) -> Int64 {
        let now = clock.now.milliseconds
        let living = state.peers.filter { peer in
            peer.id != state.own.id && state.seen[peer.id].map { $0.looks < Limits.Store.peerLooks } == true
        }
        let found = ClockVote.correction(
            own: ClockVote.Ballot(difference: 0, isDoubtful: state.own.isClockDoubtful, beats: state.own.beat),
            others: living.compactMap { peer in
                Self.difference(peer, now).map {
                    ClockVote.Ballot(difference: $0, isDoubtful: peer.isClockDoubtful, beats: peer.beat)
                }
            })
        // A line is up to a second old: a correction is not changed for that.
        let before = clockCorrection
        guard found != 0, before != 0, (found - before).magnitude < Limits.Store.clocksApartMilliseconds else {
            return found
        }
        return max(before, found)
    }

    /// Nil for what no clock shows.
    private static func difference(_ peer: StorePeer, _ now: Int64) -> Int64? {
        let (difference, overflow) = peer.at.milliseconds.subtractingReportingOverflow(now)
        return overflow || difference.magnitude > 1 << 53 ? nil : difference
    }

    private func say(_ slots: [StorePeer?], _ state: inout State) -> (line: [UInt8], slot: Int)? {
        state.own.beat += 1
        state.own.at = clock.now
        let id = state.own.id
        let isMine = state.slot.map { slots.indices.contains($0) && slots[$0]?.id == id } ?? false
        if !isMine { state.slot = Self.free(slots, state.seen) }
        guard let slot = state.slot, let line = state.own.line else { return nil }
        return (line, slot)
    }

    /// An empty place, the next one, or that of a process which has stood for long.
    private static func free(_ slots: [StorePeer?], _ seen: [UInt64: (beat: UInt64, looks: Int)]) -> Int? {
        if let empty = slots.firstIndex(where: { $0 == nil }) { return empty }
        if slots.count < Limits.Store.peers { return slots.count }
        return slots.firstIndex { peer in
            peer.flatMap { seen[$0.id] }.map { $0.looks >= 2 * Limits.Store.peerLooks } ?? false
        }
    }

    // MARK: The file

    private static func latest(_ peers: [StorePeer]) -> [StorePeer] {
        var latest: [NodeID: StorePeer] = [:]
        for peer in peers {
            guard let node = peer.node, !peer.address.isEmpty else { continue }
            if latest[node].map({ $0.incarnation < peer.incarnation }) ?? true { latest[node] = peer }
        }
        return latest.values.sorted { ($0.node?.name ?? "") < ($1.node?.name ?? "") }
    }

    /// By their places; nil where nobody is.
    private static func slots(_ path: String) -> [StorePeer?] {
        guard let file = FileHandle(forReadingAtPath: path) else { return [] }
        defer { try? file.close() }
        guard let bytes = try? file.read(upToCount: Limits.Store.peers * StorePeer.lineBytes) else { return [] }
        return stride(from: 0, to: bytes.count, by: StorePeer.lineBytes).map { start in
            StorePeer(line: bytes.dropFirst(start).prefix(StorePeer.lineBytes))
        }
    }

    private static func write(_ line: [UInt8], to path: String, at slot: Int) {
        guard let file = FileHandle(forUpdatingAtPath: path) else { return }
        defer { try? file.close() }
        do {
            try file.seek(toOffset: UInt64(slot * StorePeer.lineBytes))
            try file.write(contentsOf: line)
        } catch {
            // The next look tries again.
        }
    }
}

/// Civil time as the processes of a store agree on it: the host's clock, unless this process' view of it is wrong.
public struct StoreClock: CivilClock {
    private let clock: any CivilClock
    private let peers: StorePeers

    public init(_ clock: any CivilClock, agreedAmong peers: StorePeers) {
        self.clock = clock
        self.peers = peers
    }

    public var now: Timestamp { clock.now.advanced(byMilliseconds: peers.clockCorrection) }
}
