package import BatonCore
package import BatonProtocol

/// Where a device stands in its user's inbox.
package struct InboxPosition: Hashable, Sendable {
    package let epoch: String
    package let sequence: UInt64

    package init(epoch: String, sequence: UInt64) {
        self.epoch = epoch
        self.sequence = sequence
    }
}

/// What a client knows across its connections: its place in the inbox and what it still has to send.
///
/// It decides what to do with each frame of the node, what is an event for the application, what may be acknowledged.
/// No I/O, no clock: `now` is an argument, counted from any fixed moment.
package struct ClientSession: ~Copyable {
    /// What to do with a frame.
    package enum Action: Equatable {
        case ignore
        /// Greeted by this node. A resync goes to the application before anything else.
        case greeted(node: String, user: String, resync: ResyncReason?)
        /// An entry of the inbox, for the application.
        case deliver(ClientEvent, sequence: UInt64)
        /// An entry of the inbox that this version cannot read: applied by being passed over.
        case skip(sequence: UInt64)
        /// Anything else for the application.
        case tell(ClientEvent)
        case caughtUp
        /// The message of this ref is settled.
        case settled(ref: String, Outcome)
        case goAway(after: Duration)
        /// The node broke the protocol: close, connect again, resume.
        case violated(String)
    }

    package enum Outcome: Equatable, Sendable {
        case accepted(AcceptedMessage)
        case rejected(RejectedMessage)
    }

    /// Events after which an acknowledgement is due, though the application has more to take.
    static let ackEvery: UInt64 = 32

    package var outbox: Outbox
    private var epoch: String?
    /// The last event that was handed to the application's queue.
    package private(set) var delivered: UInt64 = 0
    /// The last event that the application has applied.
    package private(set) var applied: UInt64 = 0
    /// The last one of these that is kept across restarts, and may be acknowledged.
    private var kept: UInt64 = 0
    /// The last one that this connection's node sent, or what it began behind: it refuses to hear of later ones.
    private var offered: UInt64 = 0
    /// The last one that this connection's node was told.
    private var acknowledged: UInt64 = 0
    package private(set) var isGreeted = false
    private var reads = ReadMarks()
    /// When the node was last heard.
    private var heardAt: Duration = .zero

    package init(position: InboxPosition? = nil, bounds: Outbox.Bounds = Outbox.Bounds()) {
        outbox = Outbox(bounds: bounds)
        epoch = position?.epoch
        delivered = position?.sequence ?? 0
        applied = delivered
        kept = delivered
    }

    /// What to keep across restarts.
    package var position: InboxPosition? { epoch.map { InboxPosition(epoch: $0, sequence: applied) } }

    /// The first frame of a connection.
    package func hello(client: String) -> WireClientFrame {
        var hello = WireHello()
        hello.client = client
        if let epoch {
            hello.resume.epoch = epoch
            hello.resume.inboxSequence = kept
        }
        var frame = WireClientFrame()
        frame.hello = hello
        return frame
    }

    package mutating func received(
        _ frame: WireServerFrame, now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Action {
        guard let content = frame.frame else { return .ignore }
        heardAt = now
        if case .welcome(let welcome) = content { return greeted(welcome) }
        if case .goAway(let goAway) = content { return .goAway(after: .milliseconds(Int64(goAway.reconnectAfterMs))) }
        guard isGreeted else {
            // An error before the welcome precedes a close frame, which says more.
            if case .error = content { return .ignore }
            return .violated("a frame before welcome")
        }
        switch content {
        case .event(let event): return received(event)
        case .accepted(let accepted):
            guard let message = AcceptedMessage(accepted) else { return .violated("accepted as \(accepted.id)") }
            guard outbox.settled(accepted.ref) != nil else { return .ignore }
            return .settled(ref: accepted.ref, .accepted(message))
        case .rejected(let rejected): return received(rejected, now: now, using: &generator)
        case .caughtUp: return .caughtUp
        case .presence(let presence): return PresenceChange(presence).map { .tell(.presence($0)) } ?? .ignore
        case .typing(let typing): return Typing(typing).map { .tell(.typing($0)) } ?? .ignore
        case .error(let error):
            // Older nodes do not say which frame it is about.
            if error.retryable, ["", "read"].contains(error.frame) { reads.failed() }
            return .ignore
        case .pong, .welcome, .goAway: return .ignore
        }
    }

    /// The application took the events up to here for good.
    package mutating func applied(_ sequence: UInt64) {
        applied = max(applied, min(sequence, delivered))
    }

    /// The position up to here is kept; without a file it is so at once.
    package mutating func kept(_ sequence: UInt64) {
        kept = max(kept, min(sequence, applied))
    }

    /// The acknowledgement to send now, if there is one. `isIdle`: the application waits for more.
    package mutating func ackDue(isIdle: Bool) -> UInt64? {
        let due = min(kept, offered)
        guard isGreeted, due > acknowledged, isIdle || due - acknowledged >= Self.ackEvery else { return nil }
        acknowledged = due
        return due
    }

    package var hasUnacknowledged: Bool { isGreeted && min(kept, offered) > acknowledged }

    /// Another device, or another user, may come: the place in the inbox is void.
    mutating func forget() {
        epoch = nil
        delivered = 0
        applied = 0
        kept = 0
        acknowledged = 0
        offered = 0
        reads = ReadMarks()
    }

    /// The user has read so far.
    ///
    /// - Returns: whether there is anybody to be told.
    package mutating func read(_ message: MessageID, now: Duration) -> Bool {
        guard isGreeted else { return false }
        reads.told(message, now: now)
        return true
    }

    /// What the user has read and the relay may not know, to be told again: after the welcome, and from time to time.
    package mutating func readsDue(now: Duration) -> [MessageID] { isGreeted ? reads.due(now: now) : [] }

    package mutating func disconnected() {
        if isGreeted { reads.disconnected(heardAt: heardAt) }
        isGreeted = false
        outbox.disconnected()
    }

    private mutating func greeted(_ welcome: WireWelcome) -> Action {
        guard !isGreeted else { return .violated("a second welcome") }
        let isResumed = welcome.outcome == .resumed && (epoch == nil || epoch == welcome.epoch)
        // A node may begin before the position (what is known is passed over), but a hole is not a resumption.
        if isResumed, epoch != nil, welcome.resumedFrom > delivered {
            return .violated("resumed from \(welcome.resumedFrom), behind \(delivered)")
        }
        let resync: ResyncReason? = isResumed ? nil : welcome.outcome == .resyncTruncated ? .truncated : .epochChanged
        if resync != nil || epoch == nil {
            delivered = welcome.resumedFrom
            applied = delivered
            kept = delivered
        }
        epoch = welcome.epoch
        acknowledged = min(kept, welcome.resumedFrom)
        offered = welcome.resumedFrom
        isGreeted = true
        return .greeted(node: welcome.node, user: welcome.user, resync: resync)
    }

    private mutating func received(_ event: WireEvent) -> Action {
        offered = max(offered, event.inboxSequence)
        guard event.inboxSequence > delivered else { return .ignore }
        guard event.inboxSequence == delivered + 1 else {
            return .violated("event \(event.inboxSequence) after \(delivered)")
        }
        delivered += 1
        // A kind of a later version is passed over, and acknowledged with what follows.
        guard let known = event.event.flatMap({ ClientEvent($0) }) else { return .skip(sequence: delivered) }
        return .deliver(known, sequence: delivered)
    }

    private mutating func received(
        _ rejected: WireRejected, now: Duration, using generator: inout some RandomNumberGenerator
    ) -> Action {
        let error = RelayError(rejected.error)
        if error.isRetryable {
            outbox.postponed(rejected.ref, retryAfter: error.retryAfter, now: now, using: &generator)
            return .ignore
        }
        guard outbox.settled(rejected.ref) != nil else { return .ignore }
        return .settled(ref: rejected.ref, .rejected(RejectedMessage(ref: rejected.ref, error: error)))
    }
}
