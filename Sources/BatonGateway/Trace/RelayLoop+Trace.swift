import BatonCore
import BatonProtocol
import Logging
import NIOCore

/// What the relay writes into its trace: the only place that knows which moment becomes which record.
///
/// Receipts travel like messages and are not traced: they would take half of the ring.
extension RelayLoop {
    /// The ring of this loop, in a file where there is a folder for it. A disk that is full is no reason not to start.
    func makeTrace() -> TraceRing {
        let settings = node.settings
        guard settings.traceEvents > 0, let folder = settings.traceDirectory else {
            return TraceRing(events: settings.traceEvents)
        }
        let header = TraceHeader(node: settings.node, incarnation: settings.incarnation, loop: index)
        do throws(TraceFileError) {
            return try TraceRing(events: settings.traceEvents, header: header, in: folder)
        } catch {
            logger.warning(
                "the trace is kept in memory only, and will end with the process", metadata: ["error": "\(error)"])
            return TraceRing(events: settings.traceEvents)
        }
    }

    func anchorTrace() {
        guard trace.isOn else { return }
        // Where the thread was held up between the clocks, they are read once more.
        for _ in 0..<3 {
            let before = eventLoop.now
            let civil = TraceAnchor.civilNanoseconds()
            trace.anchor(monotonic: before.uptimeNanoseconds, civil: civil)
            if eventLoop.now - before < .microseconds(20) { return }
        }
    }

    // MARK: At the sender's node

    func traceReceived(_ request: SendRequest, at now: NIODeadline) {
        guard trace.isOn else { return }
        var record = TraceRecord(
            .received, at: now.uptimeNanoseconds, user: request.sender, device: request.device,
            place: RefHash.of(request.ref))
        record.number = UInt32(clamping: request.payload.count)
        trace.record(record)
    }

    func traceRejected(_ ref: String, _ code: String, of sender: Principal) {
        guard trace.isOn else { return }
        var record = TraceRecord(
            .rejected, at: eventLoop.now.uptimeNanoseconds, user: sender.user, device: sender.device,
            place: RefHash.of(ref))
        record.code = code
        trace.record(record)
    }

    func traceCommitted(_ stamp: CommitStamp?) {
        guard trace.isOn, let stamp else { return }
        var record = TraceRecord(.committed, at: stamp.endedAt)
        record.number = UInt32(truncatingIfNeeded: stamp.number)
        record.small = UInt16(clamping: stamp.operations)
        record.user = stamp.waited.nanoseconds
        record.device = stamp.executed.nanoseconds
        record.place = stamp.committed.nanoseconds
        trace.record(record)
    }

    func traceAccepted(
        _ message: AcceptedMessage, ref: String, by sender: Principal, _ stamp: CommitStamp?, at now: NIODeadline
    ) {
        guard trace.isOn else { return }
        var record = TraceRecord(
            .accepted, at: now.uptimeNanoseconds, user: sender.user, device: sender.device, place: RefHash.of(ref))
        record.number = UInt32(truncatingIfNeeded: stamp?.number ?? 0)
        record.detail = message.isRepeat ? TraceRecord.Detail.isRepeat : 0
        record.message = message.id
        trace.record(record)
    }

    /// - Parameters:
    ///   - receivers: nil where the hint could not be sent.
    ///   - began: when it was sent, which is the record's time: receivers may write it before they are counted here.
    func tracePublished(
        _ message: MessageID, to user: UserID, at place: InboxSequence, receivers: Int?, since began: NIODeadline
    ) {
        guard trace.isOn else { return }
        var record = TraceRecord(.published, at: began.uptimeNanoseconds)
        let waited = (eventLoop.now - began).nanoseconds / 1_000
        record.small = UInt16(clamping: waited)
        record.user = user.rawValue
        record.place = place.rawValue
        record.number = UInt32(clamping: receivers ?? 0)
        record.detail = receivers == nil ? TraceRecord.Detail.failed : 0
        record.message = message
        trace.record(record)
    }

    // MARK: At the recipient's node

    /// Written as a hint brought it.
    func traceWritten(_ sequence: InboxSequence, frame: [UInt8], to handler: RelayHandler) {
        guard trace.isOn, EventFrame.holdsMessage(frame) else { return }
        traceWritten(sequence, of: nil, to: handler, detail: 0)
    }

    /// Written as it was read from the inbox.
    func traceWritten(_ event: InboxEvent, to handler: RelayHandler) {
        guard trace.isOn, case .message(let message) = event.body else { return }
        traceWritten(event.sequence, of: message.id, to: handler, detail: TraceRecord.Detail.byDrain)
    }

    private func traceWritten(
        _ sequence: InboxSequence, of message: MessageID?, to handler: RelayHandler, detail: UInt8
    ) {
        var record = record(.written, of: handler, place: sequence.rawValue)
        record.small = UInt16(clamping: handler.delivery?.eventsInFlight ?? 0)
        record.detail = detail
        record.message = message
        trace.record(record)
        handler.traced.lastMessage = sequence
        handler.traced.isBlocked = false
    }

    /// Once for each time that the device cannot take what there is.
    func traceWhetherBlocked(_ handler: RelayHandler) {
        guard trace.isOn, !handler.traced.isBlocked, let delivery = handler.delivery, delivery.isBlocked else {
            return
        }
        handler.traced.isBlocked = true
        var record = record(.blocked, of: handler, place: delivery.head.rawValue)
        record.high = delivery.sent.rawValue
        record.small = UInt16(clamping: delivery.eventsInFlight)
        let isWritable = handler.context?.channel.isWritable ?? false
        record.detail = isWritable ? TraceRecord.Detail.windowFull : TraceRecord.Detail.notWritable
        trace.record(record)
    }

    func traceMissed(_ head: InboxSequence, by handler: RelayHandler) {
        guard trace.isOn else { return }
        trace.record(record(.missed, of: handler, place: head.rawValue))
    }

    func traceAcknowledged(_ position: InboxSequence, after before: InboxSequence, by handler: RelayHandler) {
        guard trace.isOn, handler.traced.lastMessage > before else { return }
        var record = record(.acknowledged, of: handler, place: position.rawValue)
        record.high = before.rawValue
        trace.record(record)
        handler.traced.unstored = position
    }

    func traceStored(
        _ position: InboxSequence, of handler: RelayHandler, _ outcome: StoreOutcome, _ stamp: CommitStamp?
    ) {
        guard trace.isOn, handler.traced.unstored > .zero else { return }
        if position >= handler.traced.unstored { handler.traced.unstored = .zero }
        var record = record(.stored, of: handler, place: position.rawValue)
        record.number = UInt32(truncatingIfNeeded: stamp?.number ?? 0)
        if case .acknowledged = outcome {} else { record.detail = TraceRecord.Detail.failed }
        trace.record(record)
    }

    // MARK: Connections

    func traceWelcomed(_ handler: RelayHandler, at start: InboxSequence, head: InboxSequence) {
        guard trace.isOn else { return }
        var record = record(.opened, of: handler, place: start.rawValue)
        record.high = head.rawValue
        trace.record(record)
    }

    func traceClosed(_ handler: RelayHandler, _ code: CloseCode?) {
        guard trace.isOn, let delivery = handler.delivery else { return }
        var record = record(.closed, of: handler, place: delivery.sent.rawValue)
        record.high = delivery.acknowledged.rawValue
        record.number = UInt32(code?.rawValue ?? 0)
        trace.record(record)
    }

    private func record(_ kind: TraceRecord.Kind, of handler: RelayHandler, place: UInt64) -> TraceRecord {
        TraceRecord(
            kind, at: eventLoop.now.uptimeNanoseconds, user: handler.principal.user, device: handler.principal.device,
            place: place)
    }
}

/// What a connection remembers so that its trace says a thing once.
struct TracedDelivery {
    /// The last event that was a message; acknowledgements that reach no further than to receipts are not traced.
    var lastMessage = InboxSequence.zero
    /// A traced acknowledgement that the store has not answered.
    var unstored = InboxSequence.zero
    var isBlocked = false
}

extension Duration {
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) &* 1_000_000_000 &+ UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
