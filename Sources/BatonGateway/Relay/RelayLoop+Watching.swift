package import BatonCore
import BatonProtocol
import CoreMetrics
import NIOCore

/// Shows users' presence to the connections that watch them.
///
/// 1. The store says whom a connection may watch: acquaintances. It is asked again when somebody tells that it may have
///    changed, and with each sweep.
/// 2. The registry says what they are told. The bus only says when to ask it.
/// 3. A connection is told what it was not told before.
extension RelayLoop {
    /// Tells everybody who watches a user, on all nodes.
    package func announce(_ presence: Presence, of user: UserID) {
        (presence == .online ? metrics.cameOnline : metrics.wentOffline).increment()
        bus.publish(.presence(user, presence), to: .watch(user), receivers: nil)
    }

    // MARK: Who may watch

    /// What becomes of a connection's watches where the store cannot say whether it may have them.
    enum Doubt {
        /// The client is told; it may ask again, and the next sweep does.
        case told
        /// They end: something has changed.
        case ended
        /// They stay as they are.
        case kept
    }

    /// Watches these users instead of those watched before, as far as they are acquaintances.
    func watch(_ others: [UserID], from handler: RelayHandler) {
        let state = handler.ephemeral ?? EphemeralState()
        handler.ephemeral = state
        for user in state.watching.want(others) { stopWatching(user, from: handler) }
        askWhetherAcquainted(with: others, for: handler, inDoubt: .told)
    }

    private func askWhetherAcquainted(with others: [UserID], for handler: RelayHandler, inDoubt doubt: Doubt) {
        guard let (asked, number) = handler.ephemeral?.watching.begin(about: others), !asked.isEmpty else { return }
        let (bound, id) = (sendable, handler.id)
        acquaintances(handler.principal.user, asked).assumeIsolated()
            .whenComplete { result in
                guard let handler = bound.value.connections[id],
                    let (counts, again) = handler.ephemeral?.watching.ended(number, about: asked)
                else { return }
                bound.value.answered(result, about: counts, for: handler, inDoubt: doubt)
                bound.value.askWhetherAcquainted(with: again, for: handler, inDoubt: .ended)
            }
    }

    private func answered(
        _ result: Result<Set<UserID>, any Error>, about asked: [UserID], for handler: RelayHandler,
        inDoubt doubt: Doubt
    ) {
        switch result {
        case .success(let acquaintances):
            for user in asked where !acquaintances.contains(user) { hide(user, from: handler) }
            startWatching(asked.filter(acquaintances.contains), from: handler)
        case .failure(let error):
            switch doubt {
            case .told:
                let error = FrameError(WireError(error as? StoreError ?? .unavailable("")))
                handler.write(.error(error.answering(.watch(WireWatch())).error))
            case .ended: for user in asked { hide(user, from: handler) }
            case .kept: break
            }
        }
    }

    /// Two users may have become acquainted, or no longer are: to the connections of both, on all nodes.
    func announceAcquaintance(of user: UserID, and other: UserID) {
        node.acquaintanceChanged(of: user, and: other)
        bus.publish(.acquaintance(other), to: .user(user), receivers: nil)
        bus.publish(.acquaintance(user), to: .user(other), receivers: nil)
    }

    /// What a user here may see of another, and the other way round, may have changed.
    func acquaintanceChanged(of user: UserID, with other: UserID) {
        for handler in connections.of(user) {
            guard let state = handler.ephemeral else { continue }
            if let id = ConversationID(between: user, and: other) { state.typing.forget(id) }
            if state.watching.wants(other) { askWhetherAcquainted(with: [other], for: handler, inDoubt: .ended) }
        }
    }

    private func startWatching(_ users: [UserID], from handler: RelayHandler) {
        guard let state = handler.ephemeral else { return }
        var known: [UserID] = []
        for user in users {
            if state.watching.start(user) {
                // Asked before the subscription is there, a change in between would be told to nobody.
                if watch.add(handler.id, to: user) {
                    bus.subscribe(.watch(user)) { [weak self] _ in self?.askPresence(of: [user]) }
                    continue
                }
            }
            if state.watching.told(of: user) == nil { known.append(user) }
        }
        askPresence(of: known)
    }

    /// An acquaintance no longer: to this connection the user looks like somebody of whom nothing is known.
    private func hide(_ user: UserID, from handler: RelayHandler) {
        guard let state = handler.ephemeral, state.watching.watched.contains(user) else { return }
        let told = state.watching.told(of: user) ?? .offline(lastSeen: nil)
        stopWatching(user, from: handler)
        // Also where the socket is not writable: what is not told now would be seen for ever.
        if told != .offline(lastSeen: nil) { handler.write(.presence(Self.update(user, .offline(lastSeen: nil)))) }
    }

    private func stopWatching(_ user: UserID, from handler: RelayHandler) {
        handler.ephemeral?.watching.stop(user)
        if watch.remove(handler.id, from: user) { bus.unsubscribe(.watch(user)) }
    }

    func stopWatching(_ handler: RelayHandler) {
        for user in handler.ephemeral?.watching.watched ?? [] { stopWatching(user, from: handler) }
        handler.ephemeral = nil
    }

    // MARK: What they are told

    /// Asks the registry, and tells those who watch. There is one question about a user at a time, whatever comes over the bus:
    /// while one is under way, the next waits for its answer.
    func askPresence(of users: [UserID]) {
        let new = watch.begin(users)
        guard !new.isEmpty else { return }
        presence.presence(of: new) { [weak self] answer in
            guard let self else { return }
            let again = self.watch.ended(new, isAnswered: answer != nil)
            for (user, presence) in answer ?? [:] { self.show(presence, of: user) }
            self.askPresence(of: again)
        }
    }

    private func show(_ presence: Presence, of user: UserID) {
        for id in watch.watchers(of: user) {
            guard let handler = connections[id], handler.phase != .closing, let state = handler.ephemeral,
                presence.isNews(after: state.watching.told(of: user))
            else { continue }
            // A socket that is not writable takes no notice; a later one says the same.
            if handler.writeEphemeral(.presence(Self.update(user, presence))) {
                state.watching.tell(presence, of: user)
            } else {
                watch.notTold(user)
            }
        }
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

    // MARK: Looking again

    /// With each sweep: a change may have been published in vain, or the node that saw it died before.
    func recheckPresence() {
        watch.recheck(connections.all.filter { $0.ephemeral?.watching.wantsNobody == false }.map(\.id))
    }

    /// Once a second: so many of them.
    func recheckSomePresence() {
        recheckSomeAcquaintances()
        guard watch.uncheckedCount > 0, bus.isConnected else { return }
        askPresence(of: watch.takeUnchecked())
    }

    private func recheckSomeAcquaintances() {
        var budget = Limits.Presence.recheckedPerSecond
        while budget > 0, let id = watch.takeUncheckedWatcher() {
            guard let handler = connections[id], let wanted = handler.ephemeral?.watching.wanted, !wanted.isEmpty else {
                continue
            }
            budget -= wanted.count
            askWhetherAcquainted(with: wanted, for: handler, inDoubt: .kept)
        }
    }

    /// Once a second. Those who watch and could not be told would otherwise wait for the next change, or for ever.
    func askPresenceAgain() { askPresence(of: watch.takeUnknown(canAsk: bus.isConnected)) }
}

extension Presence {
    /// Whether it tells something to who was told that before.
    fileprivate func isNews(after told: Presence?) -> Bool {
        switch (told, self) {
        case (nil, _): true
        // An emptied registry has forgotten when they were last seen.
        case (.offline, .offline(lastSeen: nil)): false
        case (let told?, _): told != self
        }
    }
}
