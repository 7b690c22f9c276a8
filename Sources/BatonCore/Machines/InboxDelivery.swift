import DequeModule

/// Decides which events of a user's inbox go to one connection, and when.
///
/// - It forwards a hint only if the hint is the very next event. After a gap it reads the store.
/// - It keeps events in flight (written, not yet acknowledged) within a window of events and bytes.
/// - It reads nothing while the socket is not writable.
///
/// So no event is sent twice or skipped, and memory stays within the window, whatever the bus does.
///
/// This type only decides. The caller reads, writes and closes as the returned values say.
public struct InboxDelivery {
    /// What to do next.
    public enum Step: Hashable, Sendable {
        /// Read events after this position: at most `limit` events and `bytes` bytes. Then call `receivedPageEvent` for
        /// each event, and `receivedPageEnd` or `pageFailed`.
        case read(after: InboxSequence, limit: Int, bytes: Int)
        /// Everything is sent, for the first time on this connection: tell the client.
        case caughtUp(InboxSequence)
        /// Nothing to do until something happens.
        case wait
    }

    /// What to do with a hint.
    public enum Forwarding: Hashable, Sendable {
        /// It is the next event: write it.
        case forward
        /// It was sent before.
        case drop
        /// It cannot be sent now and will be read from the store. `isGap`: an earlier hint is missing.
        case later(Step, isGap: Bool)
    }

    /// What to do with an acknowledgement.
    public enum Acknowledgement: Hashable, Sendable {
        /// It moved the position: store it, then do the step.
        case advanced(Step)
        /// This position or a later one was acknowledged before.
        case old
        /// The position is beyond the last event that was sent, which is `last`.
        case beyondSent(last: InboxSequence)
    }

    /// What to do after a page.
    public enum PageResult: Hashable, Sendable {
        case step(Step)
        /// The store has removed events that were not sent here. The connection must end and the device must resume.
        case truncated(InboxSequence)
    }

    /// The position of the last event written to this connection; at first, the position it resumed from.
    public private(set) var sent: InboxSequence
    /// The last event that the device acknowledged.
    public private(set) var acknowledged: InboxSequence
    /// The last event that is known to exist.
    public private(set) var head: InboxSequence

    /// Bytes of each event in flight, oldest first. Positions have no gaps, so they need not be kept.
    private var costs = Deque<UInt32>()
    private var bytesInFlight = 0
    private var isReading = false
    /// The highest hint that came while a page was being read.
    private var hintedMeanwhile = InboxSequence.zero
    private var isWritable = true
    private var saidCaughtUp = false
    private let windowEvents: Int
    private let windowBytes: Int

    /// - Parameters:
    ///   - start: the last position that the device has. Every event after it is delivered.
    ///   - head: the inbox's last position when the caller opened it.
    public init(
        from start: InboxSequence, head: InboxSequence, windowEvents: Int = Limits.Connection.windowEvents,
        windowBytes: Int = Limits.Connection.windowBytes
    ) {
        sent = start
        acknowledged = start
        self.head = max(start, head)
        self.windowEvents = windowEvents
        self.windowBytes = windowBytes
    }

    /// Events that are written and not yet acknowledged.
    public var eventsInFlight: Int { costs.count }

    /// True while unsent events wait because the window is full or the socket is not writable.
    public var isBlocked: Bool { head > sent && !isReading && !hasRoom }

    /// True while every known event is sent and the client was told so.
    public var isCaughtUp: Bool { saidCaughtUp && head == sent }

    private var hasRoom: Bool { isWritable && costs.count < windowEvents && bytesInFlight < windowBytes }

    /// What to do now. Call it after `init`, and to try again after `pageFailed`.
    public mutating func nextStep() -> Step {
        if isReading { return .wait }
        guard head > sent else {
            if saidCaughtUp { return .wait }
            saidCaughtUp = true
            return .caughtUp(sent)
        }
        guard hasRoom else { return .wait }
        isReading = true
        hintedMeanwhile = .zero
        return .read(after: sent, limit: windowEvents - costs.count, bytes: windowBytes - bytesInFlight)
    }

    /// The bus announced an event.
    ///
    /// - Parameter cost: the event's bytes, which count against the window.
    public mutating func receivedHint(_ sequence: InboxSequence, cost: Int) -> Forwarding {
        guard sequence > sent else { return .drop }
        if !isReading, sequence == sent.next, head == sent, hasRoom {
            head = sequence
            record(sequence, cost: cost)
            return .forward
        }
        let isGap = !isReading && head == sent && sequence != sent.next
        head = max(head, sequence)
        if isReading {
            hintedMeanwhile = max(hintedMeanwhile, sequence)
            return .later(.wait, isGap: false)
        }
        return .later(nextStep(), isGap: isGap)
    }

    /// The backstop read the inbox's last position from the store.
    public mutating func learnedHead(_ sequence: InboxSequence) -> Step {
        head = max(head, sequence)
        if isReading { hintedMeanwhile = max(hintedMeanwhile, sequence) }
        return nextStep()
    }

    /// An event of the page that was read, in order.
    ///
    /// - Returns: true if the caller must write it.
    public mutating func receivedPageEvent(_ sequence: InboxSequence, cost: Int) -> Bool {
        guard isReading, sequence == sent.next else { return false }
        record(sequence, cost: cost)
        return true
    }

    /// The page has no more events.
    ///
    /// - Parameters:
    ///   - pageHead: the inbox's last position when the page was read.
    ///   - truncated: the inbox no longer has events up to this position.
    public mutating func receivedPageEnd(head pageHead: InboxSequence, truncated: InboxSequence) -> PageResult {
        isReading = false
        if truncated > sent { return .truncated(truncated) }
        // The store's position replaces hints from before the read. A hint that came during the read still counts.
        head = max(sent, pageHead, hintedMeanwhile)
        return .step(nextStep())
    }

    /// The page could not be read. The caller calls `nextStep` later to try again.
    public mutating func pageFailed() {
        isReading = false
    }

    /// The client acknowledged every event up to a position.
    public mutating func receivedAcknowledgement(_ position: InboxSequence) -> Acknowledgement {
        guard position <= sent else { return .beyondSent(last: sent) }
        guard position > acknowledged else { return .old }
        // Both are at most `sent`, and each step between them is an event in flight.
        let count = min(costs.count, Int(clamping: position.rawValue - acknowledged.rawValue))
        for _ in 0..<count { bytesInFlight -= Int(costs.removeFirst()) }
        acknowledged = position
        if costs.isEmpty { costs = Deque() }
        // Reading goes on only when half of the window is free, so that reads are not of one event each.
        let isWorthReading = costs.count <= windowEvents / 2 && bytesInFlight <= windowBytes / 2
        return .advanced(isWorthReading ? nextStep() : .wait)
    }

    /// The socket has room to write again, or has none.
    public mutating func writabilityChanged(_ isWritable: Bool) -> Step {
        self.isWritable = isWritable
        return isWritable ? nextStep() : .wait
    }

    private mutating func record(_ sequence: InboxSequence, cost: Int) {
        sent = sequence
        head = max(head, sequence)
        costs.append(UInt32(clamping: cost))
        bytesInFlight += Int(UInt32(clamping: cost))
    }
}
