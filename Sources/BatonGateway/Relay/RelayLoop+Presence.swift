package import BatonCore
import BatonProtocol
import CoreMetrics
import NIOCore

/// Sessions, presence, typing and those who watch.
extension RelayLoop {
    // MARK: Sessions

    func session(of handler: RelayHandler) -> Session {
        Session(
            user: handler.principal.user, device: handler.principal.device, node: node.settings.node,
            incarnation: node.settings.incarnation, generation: handler.standing, since: handler.since,
            client: handler.clientName)
    }

    func register(_ handler: RelayHandler) {
        let (user, device, generation) = (handler.principal.user, handler.principal.device, handler.generation)
        handler.isRegistered = true
        closeDisplaced(device, of: user, by: generation)
        for loop in node.otherLoops(than: index, of: user) {
            loop.eventLoop.execute { loop.value.closeDisplaced(device, of: user, by: generation) }
        }
        takeSession(handler)
        beat([user])
    }

    /// Writes the session, as often as it takes to be above what holds it.
    ///
    /// - Parameter isLate: Redis did not take it when its device came. Since then the device may have gone to another node,
    ///   and this connection be one that nobody is at: it must not go above that one's. Whoever is there comes again.
    private func takeSession(_ handler: RelayHandler, isLate: Bool = false) {
        let session = session(of: handler)
        sessions.register(session) { [weak self, weak handler] registration in
            // One that left meanwhile takes nobody's place: it may have stood still for long.
            guard let self, let handler, handler.context != nil else { return }
            switch registration {
            case .registered(let hasDisplaced):
                handler.isConfirmed = true
                if hasDisplaced {
                    let message = BusMessage.displaced(session.device, by: session.generation)
                    self.bus.publish(message, to: .user(session.user), receivers: nil)
                }
                if handler.isDoubted { self.renew([handler]) }
            case .superseded where handler.phase == .closing: break
            case .superseded where isLate: handler.goAway(after: 0, "the session is another's; come again")
            case .superseded where !handler.isPrompt: handler.close(.displaced, Self.tookOver)
            case .superseded(let held):
                handler.standing = self.node.newGeneration(above: held)
                self.takeSession(handler)
            case nil: break
            }
        }
    }

    /// Another node tells that it has a newer connection of a device. While the registry has not answered it may be old
    /// news; then the registry is asked once more.
    func displacedElsewhere(_ device: DeviceID, of user: UserID, by generation: ConnectionGeneration) {
        for handler in users[user]?.handlers ?? [] where handler.principal.device == device {
            if !handler.isConfirmed {
                handler.isDoubted = true
            } else if handler.standing < generation {
                handler.close(.displaced, Self.tookOver)
            }
        }
    }

    static let tookOver = "a newer connection of this device took over"

    func unregister(_ handler: RelayHandler) {
        let user = handler.principal.user
        guard handler.isRegistered else { return }
        sessions.remove(session(of: handler)) { [weak self] remaining in
            guard let self, remaining ?? 0 == 0, self.users[user] == nil else { return }
            self.leaving[user] = self.eventLoop.now + .seconds(self.node.settings.offlineDebounceSeconds)
        }
    }

    /// Writes everything anew, when the registry may have lost it.
    func registerAll() {
        let all = handlers.values.filter(\.isRegistered)
        for start in stride(from: 0, to: all.count, by: Self.sessionsPerPipeline) {
            renew(Array(all[start..<min(start + Self.sessionsPerPipeline, all.count)]))
        }
        for user in watchers.keys { askPresence(of: [user]) }
    }

    static let sessionsPerPipeline = 256

    private func renew(_ handlers: [RelayHandler]) {
        guard !handlers.isEmpty else { return }
        sessions.renew(handlers.filter(\.isConfirmed).map(session(of:))) { [weak self] displaced in
            for session in displaced {
                for handler in self?.users[session.user]?.handlers ?? [] where handler.standing == session.generation {
                    handler.close(.displaced, Self.tookOver)
                }
            }
        }
        // To those that could not be registered yet no renewal is due, which would make them look old.
        for handler in handlers where !handler.isConfirmed && handler.phase != .closing {
            takeSession(handler, isLate: true)
        }
        beat(Array(Set(handlers.map(\.principal.user))))
    }

    private func beat(_ users: [UserID]) {
        presence.heartbeat(users, at: clock.now) { [weak self] cameOnline in
            for user in cameOnline ?? [] { self?.publish(.online, of: user) }
        }
    }

    // MARK: Once a second

    func secondPassed() {
        secondsRunning += 1
        let now = eventLoop.now
        anchorTrace()
        var census = ConnectionCensus()
        for handler in handlers.values {
            handler.tick(now)
            handler.join(&census, at: now)
        }
        node.report(census, of: index)
        heartbeat()
        announceLeaving(now)
        publishAgain()
        askPresenceAgain()
        if now >= nextBackstop { sweep() }
    }

    /// Each connection has a second of its own in the heartbeat's period, so that the load is even.
    private func heartbeat() {
        let period = UInt64(Limits.Presence.heartbeatSeconds)
        let slot = UInt64(secondsRunning) % period
        var due: [RelayHandler] = []
        for handler in handlers.values where handler.generation.rawValue % period == slot && handler.isRegistered {
            due.append(handler)
            if due.count == Self.sessionsPerPipeline {
                renew(due)
                due.removeAll(keepingCapacity: true)
            }
        }
        renew(due)
    }

    private func announceLeaving(_ now: NIODeadline) {
        let due = leaving.filter { $0.value <= now }.map(\.key)
        guard !due.isEmpty else { return }
        for user in due { leaving[user] = nil }
        let gone = due.filter { users[$0] == nil }
        let at = clock.now
        for user in gone { lastSeen(user, at) }
        presence.leave(gone, at: at) { [weak self] wentOffline in
            for user in wentOffline ?? [] { self?.publish(.offline(lastSeen: at), of: user) }
        }
    }

    /// Tells everybody who watches a user, on all nodes.
    package func publish(_ presence: Presence, of user: UserID) {
        (presence == .online ? metrics.cameOnline : metrics.wentOffline).increment()
        bus.publish(.presence(user, presence), to: .watch(user), receivers: nil)
    }

    // MARK: Watching

    /// Watches these users instead of those watched before; those without a common conversation are left out.
    func watch(_ others: [UserID], from handler: RelayHandler) {
        let (user, generation, bound) = (handler.principal.user, handler.generation, sendable)
        let state = handler.ephemeral ?? EphemeralState()
        handler.ephemeral = state
        state.watchRequests += 1
        let request = state.watchRequests
        acquaintances(user, others).assumeIsolated()
            .whenComplete { result in
                guard let handler = bound.value.handlers[generation],
                    handler.ephemeral?.watchRequests == request
                else { return }
                switch result {
                case .success(let allowed): bound.value.setWatched(allowed, of: handler)
                case .failure(let error):
                    handler.write(.error(WireError(error as? StoreError ?? .unavailable(""))))
                }
            }
    }

    private func setWatched(_ users: Set<UserID>, of handler: RelayHandler) {
        let state = handler.ephemeral ?? EphemeralState()
        handler.ephemeral = state
        let before = state.watched
        state.watched = users
        for user in before.subtracting(users) { stopWatching(user, by: handler) }
        var known = users
        for user in users.subtracting(before) {
            watchers[user, default: []].insert(handler.generation)
            guard watchers[user]?.count == 1 else { continue }
            // Asked before the subscription is there, a change in between would be told to nobody.
            known.remove(user)
            bus.subscribe(.watch(user)) { [weak self] _ in self?.askPresence(of: [user]) }
        }
        askPresence(of: Array(known), for: handler.generation)
    }

    /// Asks the registry, and tells one connection or all that watch.
    private func askPresence(of users: [UserID], for generation: ConnectionGeneration? = nil) {
        presence.presence(of: users) { [weak self] answer in
            guard let self else { return }
            guard let answer else {
                self.unknownPresence.formUnion(users)
                return
            }
            for (user, presence) in answer {
                if let generation {
                    self.show(presence, of: user, to: generation)
                } else {
                    self.show(presence, of: user)
                }
            }
        }
    }

    /// Once a second: whoever watches, and could not be told, would otherwise wait for the next change, or for ever.
    private func askPresenceAgain() {
        guard !unknownPresence.isEmpty else { return }
        let users = unknownPresence.filter { watchers[$0] != nil }
        // However long Redis is away, those whom nobody watches any more are not kept.
        guard bus.isConnected else {
            unknownPresence = users
            return
        }
        unknownPresence = []
        if !users.isEmpty { askPresence(of: users.sorted()) }
    }

    private func stopWatching(_ user: UserID, by handler: RelayHandler) {
        watchers[user]?.remove(handler.generation)
        guard watchers[user]?.isEmpty == true else { return }
        watchers[user] = nil
        bus.unsubscribe(.watch(user))
    }

    func stopWatching(_ handler: RelayHandler) {
        for user in handler.ephemeral?.watched ?? [] { stopWatching(user, by: handler) }
        handler.ephemeral = nil
    }

    func show(_ presence: Presence, of user: UserID) {
        for generation in watchers[user] ?? [] { show(presence, of: user, to: generation) }
    }

    /// Tells one who watches. A socket that is not writable takes no notice; a later one would say the same.
    private func show(_ presence: Presence, of user: UserID, to generation: ConnectionGeneration) {
        guard let handler = handlers[generation], handler.phase != .closing else { return }
        if !handler.writeEphemeral(.presence(Self.update(user, presence))) { unknownPresence.insert(user) }
    }

    private static func update(_ user: UserID, _ presence: Presence) -> WirePresenceUpdate {
        var update = WirePresenceUpdate()
        update.user = user.description
        switch presence {
        case .online: update.online = true
        case .offline(let lastSeen): update.lastSeenMs = UInt64(clamping: lastSeen?.milliseconds ?? 0)
        }
        return update
    }

    // MARK: Typing

    /// How long it is believed that a user may write to a conversation, for typing notices only.
    private static let typingBelief = TimeAmount.seconds(30)

    func typing(in id: ConversationID, active: Bool, from handler: RelayHandler) {
        let user = handler.principal.user
        guard let peer = id.peer(of: user) else {
            handler.reject(unknownConversation)
            return
        }
        if let until = handler.ephemeral?.typingAllowed[id], until > eventLoop.now {
            send(.typing(id, by: user, active: active), to: peer)
            return
        }
        let (bound, generation) = (sendable, handler.generation)
        acquaintances(user, [peer]).assumeIsolated()
            .whenSuccess { allowed in
                guard let handler = bound.value.handlers[generation] else { return }
                bound.value.typing(in: id, to: peer, isAllowed: allowed.contains(peer), active, from: handler)
            }
    }

    private func typing(
        in id: ConversationID, to peer: UserID, isAllowed: Bool, _ active: Bool, from handler: RelayHandler
    ) {
        guard isAllowed, let state = handler.ephemeral else {
            handler.reject(unknownConversation)
            return
        }
        state.allowTyping(in: id, until: eventLoop.now + Self.typingBelief)
        send(.typing(id, by: handler.principal.user, active: active), to: peer)
    }

    private func send(_ message: BusMessage, to user: UserID) {
        // Through the bus alone: a notice that arrives twice would be shown twice.
        bus.publish(message, to: .user(user), receivers: nil)
    }

    private var unknownConversation: FrameError {
        FrameError(
            .unknownConversation, "there is no such conversation, or you are no member of it", field: "conversation")
    }
}
