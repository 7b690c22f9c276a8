import BatonCore
import BatonProtocol
import NIOCore

/// Sessions and presence of the users here.
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
        guard node.isLeased else { return }
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
        let session = session(of: handler)
        sessions.remove(session) { [weak self] remaining in
            guard let self, remaining ?? 0 == 0, self.users[user] == nil else { return }
            let due = self.eventLoop.now + .seconds(self.node.settings.offlineDebounceSeconds)
            self.leaving[user] = Leaving(session: session, due: due)
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
        // Whoever died now would leave nobody to tell that they went.
        guard node.isLeased else { return }
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
        recheckSomePresence()
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
        // Removals that Redis was not there for are carried out by a renewal, whether or not anybody is here.
        if due.isEmpty { sessions.renew([]) { _ in } }
    }

    private func announceLeaving(_ now: NIODeadline) {
        let due = leaving.filter { $0.value.due <= now }
        guard !due.isEmpty else { return }
        for user in due.keys { leaving[user] = nil }
        let gone = due.filter { users[$0.key] == nil }
        let at = clock.now
        for (user, left) in gone where !left.isSeen { lastSeen(user, at) }
        presence.leave(Array(gone.keys), at: at) { [weak self] wentOffline in
            guard let self else { return }
            guard let wentOffline else { return self.announceLater(gone) }
            for user in wentOffline { self.publish(.offline(lastSeen: at), of: user) }
            for left in gone.values { self.sessions.forget(left.session) }
        }
    }

    /// Redis is away: whoever watches them would take them for online once it is back.
    private func announceLater(_ gone: [UserID: Leaving]) {
        for (user, left) in gone where users[user] == nil && leaving[user] == nil {
            guard leaving.count < Limits.Presence.unannouncedUsers else { return }
            leaving[user] = Leaving(session: left.session, due: eventLoop.now + .seconds(1), isSeen: true)
        }
    }
}
