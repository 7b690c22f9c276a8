import BatonCore
package import BatonProtocol
import DequeModule
import SwiftProtobuf

/// A message that waits to be accepted.
package struct OutboxMessage: Hashable, Sendable {
    /// Ref, recipient and content, as they are sent.
    package let send: WireSend
    package let bytes: Int

    package var ref: String { send.ref }

    package init(_ send: WireSend) {
        self.send = send
        bytes = (try? send.serializedBytes() as [UInt8])?.count ?? 0
    }
}

/// The messages that the relay has not accepted yet: which one may be sent next, and when.
///
/// One lane a conversation. In a lane nothing overtakes: a message goes when all before it are in flight, at most
/// `inFlightPerLane` at once. With one (the default) not even a message that is refused for a while and tried again
/// is overtaken. Between lanes there is no order.
package struct Outbox: ~Copyable {
    package struct Bounds: Sendable {
        package var messages = 10_000
        package var bytes = 16 * 1024 * 1024
        package var inFlight = 128
        package var inFlightPerLane = 1
        package var retryBase: Duration = .milliseconds(200)
        package var retryCap: Duration = .seconds(10)

        package init() {}
    }

    private struct Entry {
        let message: OutboxMessage
        let lane: String
        /// It survives a restart, as far as the client has a file; not sent before.
        var isKept: Bool
        var isInFlight = false
        var attempts = 0
    }

    private struct Lane {
        var refs: Deque<String> = []
        /// Nothing is sent before.
        var notBefore: Duration?
        var isReady = false
    }

    private let bounds: Bounds
    private var entries: [String: Entry] = [:]
    private var lanes: [String: Lane] = [:]
    /// Lanes that may have something to send.
    private var ready: Deque<String> = []
    /// Lanes that wait for their time.
    private var delayed: Set<String> = []
    /// None of them may be sent before.
    private var earliestDelayed: Duration?
    private(set) var inFlight = 0
    private(set) var bytes = 0

    package init(bounds: Bounds = Bounds()) {
        self.bounds = bounds
    }

    package var count: Int { entries.count }

    /// All of them; those of one lane in their order.
    package var messages: [OutboxMessage] { lanes.values.flatMap { $0.refs.compactMap { entries[$0]?.message } } }

    package func contains(_ ref: String) -> Bool { entries[ref] != nil }

    /// Takes a message in; it may be sent once it is kept.
    ///
    /// - Returns: false where the outbox is full, or the ref is in it already.
    package mutating func enqueue(_ message: OutboxMessage, lane: String, isKept: Bool = true) -> Bool {
        guard entries.count < bounds.messages, bytes + message.bytes <= bounds.bytes, entries[message.ref] == nil
        else { return false }
        entries[message.ref] = Entry(message: message, lane: lane, isKept: isKept)
        bytes += message.bytes
        lanes[lane, default: Lane()].refs.append(message.ref)
        makeReady(lane)
        return true
    }

    /// The message is on disk.
    mutating func kept(_ ref: String) {
        guard let lane = entries[ref]?.lane else { return }
        entries[ref]?.isKept = true
        makeReady(lane)
    }

    /// The next message to send, which is in flight from now on; nil where nothing may be sent now.
    package mutating func next(now: Duration) -> OutboxMessage? {
        wake(now: now)
        while inFlight < bounds.inFlight, let name = ready.first {
            if let ref = sendable(in: name) {
                entries[ref]?.isInFlight = true
                inFlight += 1
                return entries[ref]?.message
            }
            ready.removeFirst()
            lanes[name]?.isReady = false
        }
        return nil
    }

    /// It is done: accepted, or refused for good.
    ///
    /// - Returns: the message, nil where none of this ref waits.
    mutating func settled(_ ref: String) -> OutboxMessage? {
        guard let entry = entries.removeValue(forKey: ref) else { return nil }
        bytes -= entry.message.bytes
        if entry.isInFlight { inFlight -= 1 }
        if let index = lanes[entry.lane]?.refs.firstIndex(of: ref) { lanes[entry.lane]?.refs.remove(at: index) }
        if lanes[entry.lane]?.refs.isEmpty == true {
            lanes[entry.lane] = nil
            delayed.remove(entry.lane)
        } else {
            makeReady(entry.lane)
        }
        return entry.message
    }

    /// It was refused for now: the lane waits, at least `retryAfter`.
    mutating func postponed(
        _ ref: String, retryAfter: Duration, now: Duration, using generator: inout some RandomNumberGenerator
    ) {
        guard var entry = entries[ref], entry.isInFlight else { return }
        entry.isInFlight = false
        inFlight -= 1
        let ceiling = min(bounds.retryCap, bounds.retryBase * (1 << min(entry.attempts, 16)))
        entry.attempts = min(entry.attempts + 1, 64)
        entries[ref] = entry
        let notBefore = now + retryAfter + ceiling * Double.random(in: 0.5...1, using: &generator)
        lanes[entry.lane]?.notBefore = notBefore
        delayed.insert(entry.lane)
        earliestDelayed = min(notBefore, earliestDelayed ?? notBefore)
    }

    /// The connection is gone: everything is to be sent again, in the order in which it was queued.
    mutating func disconnected() {
        inFlight = 0
        for ref in entries.keys { entries[ref]?.isInFlight = false }
        for lane in lanes.keys { makeReady(lane) }
    }

    /// When the next postponed message is to be tried again, or a little before.
    package var nextDeadline: Duration? { delayed.isEmpty ? nil : earliestDelayed }

    /// The first message of a lane that is not in flight, if it may go.
    private func sendable(in name: String) -> String? {
        guard let lane = lanes[name], lane.notBefore == nil else { return nil }
        let first = lane.refs.prefix(bounds.inFlightPerLane).first { entries[$0]?.isInFlight == false }
        return first.flatMap { entries[$0]?.isKept == true ? $0 : nil }
    }

    private mutating func wake(now: Duration) {
        // With thousands of lanes they are gone through once a moment that is due, not with each message.
        guard let earliest = earliestDelayed, earliest <= now else { return }
        for name in delayed {
            guard let notBefore = lanes[name]?.notBefore, notBefore <= now else { continue }
            lanes[name]?.notBefore = nil
            delayed.remove(name)
            makeReady(name)
        }
        earliestDelayed = delayed.compactMap { lanes[$0]?.notBefore }.min()
    }

    private mutating func makeReady(_ name: String) {
        guard lanes[name]?.isReady == false else { return }
        lanes[name]?.isReady = true
        ready.append(name)
    }
}
