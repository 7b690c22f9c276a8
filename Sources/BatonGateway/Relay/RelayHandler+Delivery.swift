import BatonCore
import BatonProtocol
import CoreMetrics
import NIOCore

/// From the open inbox to the socket.
extension RelayHandler {
    /// The inbox is open: says where the device stands, and begins to deliver.
    func beginDelivery(at state: InboxState) {
        guard phase == .opening else { return }
        let (start, outcome) = Self.resumption(resume, state)
        phase = .open
        var delivery = InboxDelivery(
            from: start, head: max(state.head, hintedHead), windowEvents: loop.node.settings.windowEvents,
            windowBytes: windowBytes)
        write(.welcome(welcome(state, start, outcome)))
        loop.traceWelcomed(self, at: start, head: state.head)
        // What the client has applied it has acknowledged, whether or not the acknowledgement arrived.
        if outcome == .resumed, start > state.cursor { store(acknowledged: start) }
        lastProgress = loop.eventLoop.now
        let step = delivery.nextStep()
        self.delivery = delivery
        act(step)
        receivedHeld()
    }

    /// The window counts an event by its binary frame. As JSON it may be six times that (a control character is one
    /// byte there and six here), and a window of such must not be more than what may wait for the socket: else a
    /// sender could make a message that ends the receiver's connection again and again.
    private var windowBytes: Int {
        let bytes = loop.node.settings.windowBytes
        return encoding == .json ? max(1, bytes / 6) : bytes
    }

    /// Where delivery begins, and what the client must know about it. Never a silent partial resume.
    static func resumption(_ resume: Resume?, _ state: InboxState) -> (InboxSequence, WireResumeOutcome) {
        let floor = max(state.cursor, state.truncated)
        guard let resume else {
            return (floor, state.cursor < state.truncated ? .resyncTruncated : .resumed)
        }
        guard resume.epoch == state.epoch, resume.position <= state.head else { return (floor, .resyncEpoch) }
        guard resume.position >= state.truncated else { return (floor, .resyncTruncated) }
        return (resume.position, .resumed)
    }

    private func welcome(
        _ state: InboxState, _ start: InboxSequence, _ outcome: WireResumeOutcome
    ) -> WireWelcome {
        var welcome = WireWelcome()
        welcome.user = principal.user.description
        welcome.device = principal.device.description
        welcome.node = loop.node.settings.node.name
        welcome.epoch = state.epoch.description
        welcome.outcome = outcome
        welcome.resumedFrom = start.rawValue
        welcome.inboxSequence = state.head.rawValue
        welcome.heartbeatSeconds = UInt32(clamping: loop.node.settings.pingSeconds)
        welcome.windowEvents = UInt32(clamping: loop.node.settings.windowEvents)
        return welcome
    }

    func act(_ step: InboxDelivery.Step) {
        switch step {
        case .wait: break
        case .caughtUp(let position):
            var caughtUp = WireCaughtUp()
            caughtUp.inboxSequence = position.rawValue
            write(.caughtUp(caughtUp))
        case .read(let after, let limit, let bytes):
            loop.readInbox(for: self, after: after, limit: limit, bytes: bytes)
        }
    }

    /// A hint with its event's frame; `isLocal` where this node committed it.
    func receivedHint(_ sequence: InboxSequence, frame: [UInt8]) {
        guard phase == .open, delivery != nil else { return hinted(sequence) }
        switch delivery?.receivedHint(sequence, cost: frame.count) {
        case .forward:
            metrics.deliveredByHint.increment()
            #if DEBUG
                storeCursorOnSend(sequence)
            #endif
            writeEvent(frame)
            loop.traceWritten(sequence, frame: frame, to: self)
        case .later(let step, let isGap):
            if isGap { metrics.gaps.increment() }
            if delivery?.isBlocked == true { metrics.windowFull.increment() }
            loop.traceWhetherBlocked(self)
            act(step)
        case .drop: metrics.hintsStale.increment()
        case nil: break
        }
    }

    /// The inbox goes at least so far.
    func learned(head: InboxSequence) {
        guard delivery != nil else { return hinted(head) }
        if let step = delivery?.learnedHead(head) { act(step) }
    }

    /// What comes after the store has said where the device stands, and before that is known here, would be missed.
    private func hinted(_ sequence: InboxSequence) {
        if phase == .opening { hintedHead = max(hintedHead, sequence) }
    }

    func receivedPage(_ result: Result<InboxPage, StoreError>) {
        guard phase == .open, delivery != nil else { return }
        switch result {
        case .failure:
            metrics.drainsFailed.increment()
            delivery?.pageFailed()
        case .success(let page):
            metrics.drains.increment()
            #if DEBUG
                if let last = page.events.last { storeCursorOnSend(last.sequence) }
            #endif
            for (index, event) in page.events.enumerated() {
                if index == 1 { passDrain() }
                let frame = EventFrame.encode(event)
                guard delivery?.receivedPageEvent(event.sequence, cost: frame.count) == true else { continue }
                writeEvent(frame)
                loop.traceWritten(event, to: self)
            }
            metrics.deliveredByDrain.increment(by: page.events.count)
            switch delivery?.receivedPageEnd(head: page.head, truncated: page.truncated) {
            case .step(let step):
                loop.traceWhetherBlocked(self)
                act(step)
            case .truncated: close(.stalled, "events were removed before they were read; resume")
            case nil: break
            }
        }
    }

    /// The first event of a page leaves before the others: a failpoint's name must be true.
    private func passDrain() {
        let failpoints = loop.node.settings.failpoints
        guard failpoints.isArmed(.drain) else { return }
        context?.flush()
        failpoints.passed(.drain)
    }

    /// Once a second: what became due.
    func tick(_ now: NIODeadline) {
        let settings = loop.node.settings
        let silence = now - lastHeard
        switch phase {
        case .closing: break
        case .awaitingHello:
            if now - addedAt >= .seconds(Limits.Connection.handshakeSeconds) {
                close(.helloExpected, "no hello within \(Limits.Connection.handshakeSeconds) s")
            }
        case .opening, .open:
            if silence >= .seconds(settings.silenceSeconds) {
                close(.silent, "nothing was heard for \(settings.silenceSeconds) s")
            } else if silence < .seconds(settings.pingSeconds) {
                wasPinged = false
            } else if !wasPinged {
                wasPinged = true
                keepAlive()
            }
            if let position = unstoredAcknowledgement {
                unstoredAcknowledgement = nil
                store(acknowledged: position)
            }
            guard let delivery else { return }
            if !delivery.isBlocked {
                lastProgress = now
                if delivery.head > delivery.sent, let step = self.delivery?.nextStep() { act(step) }
            } else if now - lastProgress >= .seconds(settings.stalledReaderSeconds) {
                close(.stalled, "no event was acknowledged for \(settings.stalledReaderSeconds) s; resume")
            }
        }
    }
}
