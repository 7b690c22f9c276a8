package import BatonCore
import BatonProtocol
import CoreMetrics
import Logging
import NIOCore

/// Hints and control messages: to the connections here, to the other loops of this node, and through the bus to other nodes.
extension RelayLoop: BusReceiver {
    /// Committed events: encoded once, delivered to the connections here, published to those elsewhere.
    func hint(_ events: [InboxEvent]) {
        for event in events {
            #if DEBUG
                if node.settings.plantedBug == .dropHintAndSweep, event.sequence.rawValue > 16 { continue }
            #endif
            let frame = EventFrame.encode(event)
            deliverHere(.event(event.sequence, frame: frame), to: event.user)
            publishHint(.event(event.sequence, frame: frame), of: event.body, at: event.sequence, to: event.user)
        }
    }

    /// How far inboxes go, after a message was accepted once more: nobody may have heard of its events. A connection that has
    /// them reads nothing.
    func hint(_ heads: [UserID: InboxSequence]) {
        for (user, head) in heads {
            #if DEBUG
                if node.settings.plantedBug == .dropHintAndSweep { continue }
            #endif
            deliverHere(.head(head), to: user)
            publishHint(.head(head), at: head, to: user)
        }
    }

    /// - Parameter body: what the hinted event holds, for the trace.
    private func publishHint(
        _ message: BusMessage, of body: InboxEvent.Body? = nil, at sequence: InboxSequence, to user: UserID
    ) {
        let traced: MessageID? = if case .message(let stored) = body { stored.id } else { nil }
        let began = trace.isOn ? eventLoop.now : .distantPast
        bus.publish(message, to: .user(user)) { [weak self] receivers in
            guard let self else { return }
            if let traced {
                self.tracePublished(traced, to: user, at: sequence, receivers: receivers, since: began)
            }
            if receivers != nil {
                self.metrics.hintsPublished.increment()
            } else {
                self.metrics.publishErrors.increment()
                self.unpublished.failed(sequence, of: user)
            }
        }
    }

    /// Once a second: publishes what could not be published before. Otherwise the last event before a silence would wait for
    /// the other node's backstop.
    func publishAgain() {
        guard bus.carriesHints else { return }
        for (user, sequence) in unpublished.take() { publishHint(.head(sequence), at: sequence, to: user) }
    }

    /// To the connections of a user on this node, on all its loops.
    func deliverHere(_ message: BusMessage, to user: UserID) {
        deliver(message, to: user)
        for loop in node.otherLoops(than: index, of: user) {
            loop.eventLoop.execute { loop.value.deliver(message, to: user) }
        }
    }

    package func received(_ message: BusMessage, on channel: BusChannel) {
        switch channel {
        case .user(let user):
            metrics.hintsReceived.increment()
            deliver(message, to: user)
        case .watch(let user):
            if case .presence = message, watch.isWatched(user) { askPresence(of: [user]) }
        }
    }

    private func deliver(_ message: BusMessage, to user: UserID) {
        let handlers = connections.of(user)
        guard !handlers.isEmpty else { return }
        switch message {
        case .event(let sequence, let frame):
            for handler in handlers { handler.receivedHint(sequence, frame: frame) }
        case .head(let sequence):
            for handler in handlers { handler.learned(head: sequence) }
        case .typing(let conversation, let author, let active):
            guard author != user else { return }
            var notice = WireTypingNotice()
            notice.conversation = conversation.description
            notice.user = author.description
            notice.active = active
            for handler in handlers where handler.phase == .open { handler.writeEphemeral(.typing(notice)) }
        case .displaced(let device, let generation): look(at: .newer(generation), of: device, of: user)
        case .revoked(let device): look(at: .revoked, of: device, of: user)
        case .acquaintance(let other): acquaintanceChanged(of: user, with: other)
        case .presence: break
        }
    }

    package func subscriptionsLost() {
        logger.warning("subscriptions lost, delivering from the store until they are back")
        // A connection that greets now is served at once. Those that wait for their subscription would wait for long.
        for user in connections.users { subscribed(user) }
    }

    package func subscriptionsRestored() {
        logger.info("subscriptions restored, looking for what was missed")
        registerAll()
        backstop.hurry(eventLoop.now)
        sweepIfDue(eventLoop.now)
    }
}
