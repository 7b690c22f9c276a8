import DequeModule

/// Decides what of a user's inbox goes to one connection, and when.
///
/// It forwards a hint only where that is the very next event, reads the store wherever there is a gap, keeps what was
/// written and not yet acknowledged within a window, and stops reading while the socket takes nothing. So neither a
/// duplicate nor a gap nor more than a window of memory can come of it, whatever the bus does.
///
/// It does not act: the caller reads, writes and closes as the returned values say.
public struct InboxDelivery {
    /// What to do next.
    public enum Step: Hashable, Sendable {
        /// Read the inbox behind a position and hand the page in.
        case read(after: InboxSequence, limit: Int, bytes: Int)
        /// Everything is sent, for the first time on this connection: say so.
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
        /// It cannot be sent now, and will be read from the store; `isGap` where an earlier hint is missing.
        case later(Step, isGap: Bool)
    }

    /// What to do with an acknowledgement.
    public enum Acknowledgement: Hashable, Sendable {
        /// It moved the position: store it, then do the step.
        case advanced(Step)
        /// It says nothing new.
        case old
        /// Nothing was sent there yet.
        case beyondSent(last: InboxSequence)
    }

    /// What to do after a page.
    public enum PageResult: Hashable, Sendable {
        case step(Step)
        /// Events that this connection was not sent are gone: it must end, and the device resume.
        case truncated(InboxSequence)
    }

    /// The last event written to this connection, or what it resumed from.
    public private(set) var sent: InboxSequence
    /// The last event that the device acknowledged.
    public private(set) var acknowledged: InboxSequence
    /// The last event that is known to exist.
    public private(set) var head: InboxSequence

    /// Costs of the events in flight, oldest first; they are dense, so their positions need not be kept.
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
    ///   - start: what the device has; everything behind it is to be delivered.
    ///   - head: the inbox' last position when it was opened.
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

    public var eventsInFlight: Int { costs.count }

    /// There are events that were not sent, and the reader's window or socket is what they wait for.
    public var isBlocked: Bool { head > sent && !isReading && !hasRoom }

    /// Everything known was sent.
    public var isCaughtUp: Bool { saidCaughtUp && head == sent }

    private var hasRoom: Bool { isWritable && costs.count < windowEvents && bytesInFlight < windowBytes }

    /// The first step, after `init`, and whenever time passed and a failed read is to be tried again.
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

    /// The store says how far the inbox goes: what the backstop found.
    public mutating func learnedHead(_ sequence: InboxSequence) -> Step {
        head = max(head, sequence)
        if isReading { hintedMeanwhile = max(hintedMeanwhile, sequence) }
        return nextStep()
    }

    /// An event of the page that was asked for.
    ///
    /// - Returns: whether it is to be written.
    public mutating func receivedPageEvent(_ sequence: InboxSequence, cost: Int) -> Bool {
        guard isReading, sequence == sent.next else { return false }
        record(sequence, cost: cost)
        return true
    }

    /// All events of the page were handed in.
    public mutating func receivedPageEnd(head pageHead: InboxSequence, truncated: InboxSequence) -> PageResult {
        isReading = false
        if truncated > sent { return .truncated(truncated) }
        // The store's word replaces what was hinted before the read; a hint that came since still counts.
        head = max(sent, pageHead, hintedMeanwhile)
        return .step(nextStep())
    }

    /// The page could not be read. `nextStep` tries again when the caller finds it time.
    public mutating func pageFailed() {
        isReading = false
    }

    public mutating func receivedAcknowledgement(_ position: InboxSequence) -> Acknowledgement {
        guard position <= sent else { return .beyondSent(last: sent) }
        guard position > acknowledged else { return .old }
        // Both are at most `sent`, and each step between them is an event in flight.
        let count = min(costs.count, Int(clamping: position.rawValue - acknowledged.rawValue))
        for _ in 0..<count { bytesInFlight -= Int(costs.removeFirst()) }
        acknowledged = position
        if costs.isEmpty { costs = Deque() }
        // A reader that was blocked is served again when a good part of its window is free, not event by event.
        let isWorthReading = costs.count <= windowEvents / 2 && bytesInFlight <= windowBytes / 2
        return .advanced(isWorthReading ? nextStep() : .wait)
    }

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
