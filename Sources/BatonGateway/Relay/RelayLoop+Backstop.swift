import BatonCore
import CoreMetrics
import NIOCore

/// Finds the hints that were missed: compares what the store has with what was sent. `Backstop` says when.
extension RelayLoop {
    func scheduleBackstop() {
        backstop = Backstop(next: nextBackstop())
    }

    private func nextBackstop() -> NIODeadline {
        eventLoop.now + .seconds(Int64.random(in: node.settings.backstopSeconds, using: &random))
    }

    /// Once a second.
    func sweepIfDue(_ now: NIODeadline) {
        if backstop.isDue(now, isBlind: !bus.carriesHints) { sweep() }
    }

    /// Compares what the store has with what was sent, for all users here, and looks for devices that were revoked.
    func sweep() {
        let isBlind = !bus.carriesHints
        let all = connections.users
        let starts = stride(from: 0, to: all.count, by: Self.usersPerQuery)
        let queries = 2 * Array(starts).count
        let looksAtPresence = backstop.begin(
            queries: queries, at: eventLoop.now, isBlind: isBlind, next: nextBackstop())
        if looksAtPresence { recheckPresence() }
        #if DEBUG
            if node.settings.plantedBug == .dropHintAndSweep {
                backstop = Backstop(next: backstop.next)
                return
            }
        #endif
        for start in starts {
            let some = Array(all[start..<min(start + Self.usersPerQuery, all.count)])
            let (bound, eventLoop) = (sendable, eventLoop)
            store.inboxHeads(of: some) { result in
                eventLoop.execute { bound.value.compare(result, isBlind: isBlind) }
            }
            let devices = some.flatMap { connections.of($0).map(\.principal.device) }
            store.newestConnections(of: devices) { result in
                eventLoop.execute { bound.value.closeRevoked(devices, result, of: some) }
            }
        }
    }

    static let usersPerQuery = 256

    /// A device may have been revoked while the bus could not tell.
    private func closeRevoked(
        _ asked: [DeviceID], _ result: Result<[DeviceID: ConnectionGeneration], StoreError>, of some: [UserID]
    ) {
        backstop.answered(at: eventLoop.now)
        guard case .success(let found) = result else { return }
        let revoked = Set(asked).subtracting(found.keys)
        guard !revoked.isEmpty else { return }
        for user in some {
            for device in connections.of(user).map(\.principal.device) where revoked.contains(device) {
                closeRevoked(device, of: user)
            }
        }
    }

    /// A connection that is behind may only be waiting for a hint that is on its way. It is looked at again a little later;
    /// what it lacks then was missed.
    private func compare(_ result: Result<[UserID: InboxSequence], StoreError>, isBlind: Bool) {
        backstop.answered(at: eventLoop.now)
        guard case .success(let heads) = result else { return }
        let behind = heads.filter { user, head in
            connections.of(user).contains { $0.delivery.map { $0.head < head } ?? false }
        }
        guard !behind.isEmpty else { return }
        let bound = sendable
        let delay = isBlind ? Limits.Node.ownHintDelayMilliseconds : Limits.Node.hintDelayMilliseconds
        eventLoop.scheduleTask(in: .milliseconds(delay)) { bound.value.catchUp(behind) }
    }

    private func catchUp(_ heads: [UserID: InboxSequence]) {
        for (user, head) in heads {
            for handler in connections.of(user) {
                guard let delivery = handler.delivery, delivery.head < head else { continue }
                metrics.hintMissed.increment(by: Int64(clamping: head.rawValue - delivery.head.rawValue))
                traceMissed(head, by: handler)
                if let step = handler.delivery?.learnedHead(head) { handler.act(step) }
            }
        }
    }
}
