package import BatonCore
import BatonProtocol
import CoreMetrics
import NIOCore

/// Those who look at a user, and typing.
extension RelayLoop {
    /// Tells everybody who watches a user, on all nodes.
    package func publish(_ presence: Presence, of user: UserID) {
        (presence == .online ? metrics.cameOnline : metrics.wentOffline).increment()
        bus.publish(.presence(user, presence), to: .watch(user), receivers: nil)
    }

    /// Watches these users instead of those watched before; those without a common conversation are left out.
    func watch(_ others: [UserID], from handler: RelayHandler) {
        let (user, id, bound) = (handler.principal.user, handler.id, sendable)
        let state = handler.ephemeral ?? EphemeralState()
        handler.ephemeral = state
        state.watchRequests += 1
        let request = state.watchRequests
        acquaintances(user, others).assumeIsolated()
            .whenComplete { result in
                guard let handler = bound.value.handlers[id],
                    handler.ephemeral?.watchRequests == request
                else { return }
                switch result {
                case .success(let allowed): bound.value.setWatched(allowed, of: handler)
                case .failure(let error):
                    let error = WireError(error as? StoreError ?? .unavailable(""))
                    handler.write(.error(FrameError(error).answering(.watch(WireWatch())).error))
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
            watchers[user, default: []].insert(handler.id)
            guard watchers[user]?.count == 1 else { continue }
            // Asked before the subscription is there, a change in between would be told to nobody.
            known.remove(user)
            bus.subscribe(.watch(user)) { [weak self] _ in self?.askPresence(of: [user]) }
        }
        askPresence(of: Array(known), for: .one(handler.id))
    }

    /// Whom an answer of the registry is told.
    enum Audience {
        case all
        /// One that has begun to watch; all, where they believe something else.
        case one(ConnectionID)
        /// All, where they believe something else.
        case mistaken
    }

    /// Asks the registry, and tells those who watch.
    ///
    /// The answer and what is published come by two connections. Where something was heard of a user since the question,
    /// the answer may be the older one; a question that is asked now cannot be.
    func askPresence(of users: [UserID], for audience: Audience = .all) {
        let asked = presenceHeard
        presence.presence(of: users) { [weak self] answer in
            guard let self else { return }
            guard let answer else {
                self.unknownPresence.formUnion(users)
                return
            }
            var doubtful: [UserID] = []
            for (user, presence) in answer where self.watchers[user] != nil {
                let belief = self.beliefs[user]
                if belief?.heard ?? 0 > asked {
                    doubtful.append(user)
                    continue
                }
                switch audience {
                case .one(let id) where belief?.isOnline == (presence == .online):
                    self.show(presence, of: user, to: id)
                case .mistaken where belief?.isOnline == (presence == .online): break
                case .all, .one, .mistaken: self.show(presence, of: user)
                }
            }
            if !doubtful.isEmpty { self.askPresence(of: doubtful.sorted(), for: audience) }
        }
    }

    /// Somebody tells that a user came or went.
    func heard(_ presence: Presence, of user: UserID) {
        guard watchers[user] != nil else { return }
        presenceHeard += 1
        beliefs[user, default: PresenceBelief()].heard = presenceHeard
        show(presence, of: user)
    }

    /// With each sweep: that somebody went may have been published in vain, or nobody lived to tell it.
    func recheckPresence() { unchecked = Array(watchers.keys) }

    /// Once a second: so many of them.
    func recheckSomePresence() {
        guard !unchecked.isEmpty, bus.isConnected else { return }
        let some = unchecked.suffix(Limits.Presence.recheckedPerSecond)
        unchecked.removeLast(some.count)
        let watched = some.filter { watchers[$0] != nil }
        if !watched.isEmpty { askPresence(of: watched, for: .mistaken) }
    }

    /// Once a second: whoever watches, and could not be told, would otherwise wait for the next change, or for ever.
    func askPresenceAgain() {
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
        watchers[user]?.remove(handler.id)
        guard watchers[user]?.isEmpty == true else { return }
        watchers[user] = nil
        beliefs[user] = nil
        bus.unsubscribe(.watch(user))
    }

    func stopWatching(_ handler: RelayHandler) {
        for user in handler.ephemeral?.watched ?? [] { stopWatching(user, by: handler) }
        handler.ephemeral = nil
    }

    func show(_ presence: Presence, of user: UserID) {
        guard watchers[user] != nil else { return }
        beliefs[user, default: PresenceBelief()].isOnline = presence == .online
        for id in watchers[user] ?? [] { show(presence, of: user, to: id) }
    }

    /// Tells one who watches. A socket that is not writable takes no notice; a later one would say the same.
    private func show(_ presence: Presence, of user: UserID, to id: ConnectionID) {
        guard let handler = handlers[id], handler.phase != .closing else { return }
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
            handler.reject(unknownConversation(id))
            return
        }
        if let until = handler.ephemeral?.typingAllowed[id], until > eventLoop.now {
            send(.typing(id, by: user, active: active), to: peer)
            return
        }
        let (bound, origin) = (sendable, handler.id)
        acquaintances(user, [peer]).assumeIsolated()
            .whenSuccess { allowed in
                guard let handler = bound.value.handlers[origin] else { return }
                bound.value.typing(in: id, to: peer, isAllowed: allowed.contains(peer), active, from: handler)
            }
    }

    private func typing(
        in id: ConversationID, to peer: UserID, isAllowed: Bool, _ active: Bool, from handler: RelayHandler
    ) {
        guard isAllowed, let state = handler.ephemeral else {
            handler.reject(unknownConversation(id))
            return
        }
        state.allowTyping(in: id, until: eventLoop.now + Self.typingBelief)
        send(.typing(id, by: handler.principal.user, active: active), to: peer)
    }

    private func send(_ message: BusMessage, to user: UserID) {
        // Through the bus alone: a notice that arrives twice would be shown twice.
        bus.publish(message, to: .user(user), receivers: nil)
    }

    private func unknownConversation(_ id: ConversationID) -> FrameError {
        var typing = WireTyping()
        typing.conversation = id.description
        return FrameError(
            .unknownConversation, "there is no such conversation, or you are no member of it", field: "conversation"
        ).answering(.typing(typing))
    }
}
