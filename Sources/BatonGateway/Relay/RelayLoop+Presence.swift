import BatonCore
import BatonProtocol
import NIOCore

/// Sessions and presence of the users here.
extension RelayLoop {
    // MARK: Sessions

    func session(of handler: RelayHandler) -> Session {
        Session(
            user: handler.principal.user, device: handler.principal.device, node: node.settings.node,
            incarnation: node.settings.incarnation, generation: handler.generation ?? .unnumbered,
            since: handler.since, client: handler.clientName)
    }

    /// The client has answered on a connection that the store has numbered: its device's older ones end, and its session
    /// is written.
    func proven(_ handler: RelayHandler, as generation: ConnectionGeneration) {
        let (user, device) = (handler.principal.user, handler.principal.device)
        if generation != .unnumbered {
            closeDisplaced(device, of: user, by: generation)
            for loop in node.otherLoops(than: index, of: user) {
                loop.eventLoop.execute { loop.value.closeDisplaced(device, of: user, by: generation) }
            }
        }
        handler.isRegistered = true
        departing.cameBack(user)
        write([handler])
    }

    /// Ends older connections of a device on this loop. One that is not numbered may be the newest: it stays.
    func closeDisplaced(_ device: DeviceID, of user: UserID, by generation: ConnectionGeneration) {
        for handler in connections.of(user)
        where handler.principal.device == device && handler.isNumbered(below: generation) {
            handler.close(.displaced, Self.tookOver)
        }
    }

    private static let tookOver = "a newer connection of this device took over"

    /// Writes the sessions of connections that are registered, and keeps their users online.
    private func write(_ handlers: [RelayHandler], completion: @escaping () -> Void = {}) {
        // If the node died without a lease, no node would find its sessions or tell that its users went offline.
        guard node.isLeased else { return completion() }
        sessions.write(handlers.map(session(of:))) { [weak self] done in
            for (session, outcome) in done { self?.wrote(session, outcome) }
            completion()
        }
        beat(Array(Set(handlers.map(\.principal.user))))
    }

    private func wrote(_ session: Session, _ outcome: SessionWriting) {
        switch outcome {
        case .written, .renewed: break
        case .displacedOlder:
            bus.publish(.displaced(session.device, by: session.generation), to: .user(session.user), receivers: nil)
        case .heldByNewer:
            // A connection without a number stays without a session until it has one.
            guard session.generation != .unnumbered else { return }
            look(at: .newer(session.generation.next), of: session.device, of: session.user)
        }
    }

    func unregister(_ handler: RelayHandler) {
        let user = handler.principal.user
        guard handler.isRegistered else { return }
        let session = session(of: handler)
        sessions.remove(session) { [weak self] remaining in
            guard let self, remaining ?? 0 == 0, !self.isRegistered(user) else { return }
            let due = self.eventLoop.now + .seconds(self.node.settings.offlineDebounceSeconds)
            self.departing.left(session, due: due)
        }
    }

    /// Whether a connection of the user's here has a session.
    private func isRegistered(_ user: UserID) -> Bool { connections.of(user).contains(where: \.isRegistered) }

    /// Writes all sessions anew, when the registry may have lost them: one part after the other, so that the connection to the
    /// registry keeps room for hints.
    func registerAll() {
        toRegister = connections.all.filter(\.isRegistered).map(\.id)
        if !isRegistering { registerNext() }
        askPresence(of: watch.watchedUsers)
    }

    private func registerNext() {
        let part = toRegister.suffix(Self.sessionsPerPipeline)
        isRegistering = !part.isEmpty
        guard isRegistering else { return }
        toRegister.removeLast(part.count)
        let bound = sendable
        write(part.compactMap { connections[$0] }.filter(\.isRegistered)) { [eventLoop] in
            eventLoop.execute { bound.value.registerNext() }
        }
    }

    static let sessionsPerPipeline = 256

    private func beat(_ users: [UserID]) {
        presence.heartbeat(users, at: clock.now) { [weak self] cameOnline in
            for user in cameOnline ?? [] { self?.announce(.online, of: user) }
        }
    }

    // MARK: Once a second

    func secondPassed() {
        secondsRunning += 1
        let now = eventLoop.now
        #if DEBUG
            pauses.secondPassed(now)
        #endif
        anchorTrace()
        var census = ConnectionCensus()
        for handler in connections.all {
            handler.tick(now)
            handler.join(&census, at: now)
        }
        node.report(census, of: index)
        heartbeat()
        announceLeaving(now)
        publishAgain()
        for budget in budgets.forget(at: now, isHere: { connections.hasUser($0) }) { draw(for: budget) }
        askPresenceAgain()
        recheckSomePresence()
        sweepIfDue(now)
    }

    /// Renews the sessions whose second it is. Each connection has one in the heartbeat's period, so that the load is even.
    private func heartbeat() {
        let period = UInt64(Limits.Presence.heartbeatSeconds)
        let slot = UInt64(secondsRunning) % period
        var due: [RelayHandler] = []
        for handler in connections.all where handler.id.rawValue % period == slot && handler.isRegistered {
            if handler.generation == .unnumbered { number(handler) }
            due.append(handler)
            if due.count == Self.sessionsPerPipeline {
                write(due)
                due.removeAll(keepingCapacity: true)
            }
        }
        // Also when nothing is due: removals that failed while Redis was away are carried out with the next write.
        write(due)
    }

    private func announceLeaving(_ now: NIODeadline) {
        let due = departing.takeDue(now)
        guard !due.isEmpty else { return }
        // A connection whose client has not answered makes nobody online, so it keeps nobody online either.
        let gone = due.filter { !isRegistered($0.key) }
        guard !gone.isEmpty else { return }
        let at = clock.now
        for (user, left) in gone where !left.isSeen { lastSeen(user, at) }
        presence.leave(Array(gone.keys), at: at) { [weak self] wentOffline in
            guard let self else { return }
            guard let wentOffline else { return self.announceLater(gone) }
            for user in wentOffline { self.announce(.offline(lastSeen: at), of: user) }
            for left in gone.values { self.sessions.forget(left.session) }
        }
    }

    /// Redis is away. Those who watch them would take them for online once it is back.
    private func announceLater(_ gone: [UserID: DepartingUsers.Departure]) {
        let due = eventLoop.now + .seconds(1)
        for (user, left) in gone where !isRegistered(user) { departing.again(left, due: due, isSeen: true) }
    }
}
