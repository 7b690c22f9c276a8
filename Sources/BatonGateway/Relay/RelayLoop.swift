package import BatonCore
import BatonProtocol
import CoreMetrics
package import Logging
package import NIOCore

/// The relay of one event loop: its connections, and what they share.
///
/// 1. It collects what the connections want stored during a tick, hands it to the store once, and tells them the outcomes.
/// 2. It publishes an event after its commit, and hands events of the bus to the connections of their user.
/// 3. It keeps sessions and presence of its users alive in their registries.
/// 4. It sweeps for hints that were missed, and for connections that went silent.
/// 5. It flushes each connection once a tick.
///
/// What it knows is divided into parts, each with a state of its own: see the folder `Parts`. A part decides and returns what is
/// to be done; the extensions of this type do it. Everything here runs on the event loop.
///
/// Loops of a node talk to each other only to deliver what one committed to a user of another. That works without the bus.
package final class RelayLoop {
    package let eventLoop: any EventLoop
    let node: RelayNode
    let store: any MessageStore
    /// Asks which of some users are a user's acquaintances: see `ConversationStore`.
    package var acquaintances: (_ user: UserID, _ others: [UserID]) -> EventLoopFuture<Set<UserID>>
    let bus: any Bus
    let sessions: any SessionRegistry
    let presence: any PresenceRegistry
    let buckets: any SharedBuckets
    let clock: any CivilClock
    let logger: Logger
    let metrics: RelayMetrics
    /// Tells the store when a user was last seen; called on this loop.
    let lastSeen: (UserID, Timestamp) -> Void
    /// The last moments of the messages that pass here.
    private(set) var trace = TraceRing(events: 0)

    private(set) var index = 0
    var connections = LocalConnections()
    var commits = CommitQueue<Origin>()
    var unpublished = UnpublishedHints()
    var watch = PresenceWatch()
    var departing = DepartingUsers()
    /// Connections whose sessions are to be written anew; those at the end are next.
    var toRegister: [ConnectionID] = []
    /// Some sessions are being written for that.
    var isRegistering = false
    var budgets = SenderBudgets()
    /// How many messages that came on no connection the store has now.
    var submissions = 0
    var secondsRunning: Int64 = 0
    var backstop: Backstop
    var reads = InboxReads()
    var claims = DeviceClaims()

    private var flushes = FlushQueue()
    /// Ends the wait of acknowledgements for company.
    private var patience: Scheduled<Void>?
    private var isTickScheduled = false
    #if DEBUG
        /// The last batch whose outcomes were told before its commit.
        var lastToldEarly: UInt64 = 0
        var pauses = PauseWatch()
    #endif
    private var timer: RepeatedTask?
    var random: RandomSource
    private var bound: NIOLoopBound<RelayLoop>?

    /// What wants to know what became of an operation.
    enum Origin {
        case send(RelayHandler, ref: String, at: NIODeadline, refusing: SendNovelty)
        case submission(Submission)
        case acknowledge(RelayHandler, InboxSequence)
        case read(RelayHandler, ConversationID)
        case connect(RelayHandler)
    }

    /// To be called on the event loop.
    package init(
        eventLoop: any EventLoop, node: RelayNode, store: any MessageStore, conversations: any ConversationStore,
        bus: any Bus, sessions: any SessionRegistry, presence: any PresenceRegistry, buckets: any SharedBuckets,
        clock: any CivilClock, logger: Logger, lastSeen: @escaping (UserID, Timestamp) -> Void
    ) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        self.node = node
        self.store = store
        acquaintances = { user, others in
            eventLoop.makeFutureWithTask { try await conversations.acquaintances(of: user, among: others) }
        }
        self.bus = bus
        self.sessions = sessions
        self.presence = presence
        self.buckets = buckets
        self.clock = clock
        metrics = node.metrics
        random = node.settings.random
        self.logger = logger
        self.lastSeen = lastSeen
        backstop = Backstop(next: eventLoop.now)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        self.bound = bound
        index = node.add(bound)
        trace = makeTrace()
        anchorTrace()
        bus.receiver = self
        scheduleBackstop()
        timer = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.secondPassed()
        }
    }

    /// Ends the timers. The connections must be gone by then.
    package func stop() {
        timer?.cancel()
        timer = nil
        patience?.cancel()
        patience = nil
        bus.receiver = nil
        bound = nil
        node.stopped()
    }

    /// A handle to this loop for other threads.
    var sendable: NIOLoopBound<RelayLoop> { bound ?? NIOLoopBound(self, eventLoop: eventLoop) }

    // MARK: Connections

    func add(_ handler: RelayHandler) {
        connections.add(handler)
        if handler.isCounted { node.connectionBegan() }
        handler.metrics.connectionsBegun.increment()
    }

    /// A client said hello. The loop 1. subscribes to the user and awaits the confirmation; 2. has the store number the
    /// connection and say where its device stands; 3. registers the session, once the client has answered.
    func greet(_ handler: RelayHandler) {
        let user = handler.principal.user
        switch connections.greeted(handler) {
        case .subscribe:
            node.enter(user, on: index)
            bus.subscribe(.user(user)) { [weak self] _ in self?.subscribed(user) }
            if !bus.isConnected { subscribed(user) }
        case .wait: break
        case .ready: number(handler)
        }
    }

    /// The bus has taken up a user's subscription, or cannot for now. Delivery then begins from the store, and what is missed
    /// meanwhile is found when the bus is back.
    func subscribed(_ user: UserID) {
        for handler in connections.subscribed(user) { number(handler) }
    }

    /// Asks the store which of its device's connections this is.
    func number(_ handler: RelayHandler) {
        let request = ConnectRequest(
            user: handler.principal.user, device: handler.principal.device, at: clock.now)
        enqueue(.connect(request), for: .connect(handler))
    }

    func remove(_ handler: RelayHandler) {
        let removal = connections.remove(handler)
        guard removal != .unknown else { return }
        if handler.isCounted { node.connectionEnded() }
        stopWatching(handler)
        guard removal != .ungreeted else { return }
        if removal == .last {
            let user = handler.principal.user
            node.leave(user, from: index)
            bus.unsubscribe(.user(user))
            budgets.left(user, at: eventLoop.now)
        }
        // Last: the answer may come at once, and asks whether the user is still here.
        unregister(handler)
    }

    // MARK: The store

    /// Hands an operation to the next batch. Those of one tick become one.
    func enqueue(_ operation: StoreOperation, for origin: Origin) {
        commits.add(operation, for: origin)
        scheduleTickEnd()
    }

    /// Hands an acknowledgement to a batch that is made anyway, or soon to one of its own.
    func enqueue(acknowledgement request: AcknowledgeRequest, of handler: RelayHandler) {
        guard commits.addPatiently(.acknowledge(request), for: .acknowledge(handler, request.position)) else { return }
        let bound = sendable
        patience = eventLoop.scheduleTask(in: .milliseconds(Limits.Connection.acknowledgementDelayMilliseconds)) {
            bound.value.commit(isPatienceOver: true)
        }
    }

    func flushLater(_ handler: RelayHandler) {
        if flushes.add(handler) { scheduleTickEnd() }
    }

    private func scheduleTickEnd() {
        guard !isTickScheduled else { return }
        isTickScheduled = true
        let bound = sendable
        eventLoop.execute { bound.value.tickEnded() }
    }

    private func tickEnded() {
        isTickScheduled = false
        commit(isPatienceOver: false)
        if flushes.holdsAccepted, node.settings.failpoints.isArmed(.published) {
            // What was published leaves with the tasks that are queued by now.
            let bound = sendable
            eventLoop.execute {
                bound.value.node.settings.failpoints.passed(.published)
                bound.value.flush()
            }
        } else {
            flush()
        }
    }

    /// Whatever is written meanwhile is flushed at the end of the next tick.
    private func flush() {
        for handler in flushes.take() { handler.flush() }
    }

    private func commit(isPatienceOver: Bool) {
        guard let (number, batch) = commits.take(isPatienceOver: isPatienceOver) else { return }
        patience?.cancel()
        patience = nil
        let (bound, eventLoop) = (sendable, eventLoop)
        store.submitStamped(batch) { outcomes, stamp in
            eventLoop.execute { bound.value.committed(number, outcomes, stamp) }
        }
    }

    private func committed(_ number: UInt64, _ outcomes: [StoreOutcome], _ stamp: CommitStamp?) {
        #if DEBUG
            if tellEarly(number, outcomes) { return }
        #endif
        guard let origins = commits.ended(number) else { return }
        traceCommitted(stamp)
        if node.settings.failpoints.areArmed, outcomes.contains(where: \.isNewMessage) {
            node.settings.failpoints.passed(.committed)
            flushes.noteAccepted()
        }
        let now = eventLoop.now
        var repeated: [UserID: InboxSequence] = [:]
        for (origin, outcome) in zip(origins, outcomes) {
            switch origin {
            case .send(let handler, let ref, let began, let refused):
                chargeEnded(outcome, refusing: refused, of: handler.budget)
                handler.metrics.countSend(outcome, after: now - began)
                handler.sendEnded(ref: ref, outcome)
                if case .sent(let message) = outcome {
                    traceAccepted(message, ref: ref, by: handler.principal, stamp, at: now)
                }
            case .submission(let submission): submissionEnded(submission, outcome, stamp, at: now)
            case .acknowledge(let handler, let position):
                handler.metrics.acknowledged.increment()
                traceStored(position, of: handler, outcome, stamp)
                handler.acknowledgeEnded(position, outcome)
            case .read(let handler, let id): handler.markReadEnded(outcome, of: id)
            case .connect(let handler): connectEnded(outcome, of: handler)
            }
            switch outcome {
            case .sent(let message):
                hint(message.events)
                repeated.merge(message.heads) { max($0, $1) }
                for other in message.newAcquaintances {
                    guard let sender = message.id.conversation.peer(of: other) else { continue }
                    announceAcquaintance(of: sender, and: other)
                }
            case .acknowledged(let events), .markedRead(let events): hint(events)
            case .connected, .refused, .failed: break
            }
        }
        hint(repeated)
    }
}

@available(*, unavailable) extension RelayLoop: Sendable {}

extension StoreOutcome {
    var isNewMessage: Bool {
        if case .sent(let message) = self { !message.isRepeat } else { false }
    }
}
