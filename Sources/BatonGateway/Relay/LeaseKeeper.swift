package import BatonCore
package import Logging
import NIOCore

/// Renews a node's lease, and cleans up after nodes whose lease ran out. Lives on one event loop.
package final class LeaseKeeper {
    private let eventLoop: any EventLoop
    private let registry: any NodeRegistry
    private let presence: any PresenceRegistry
    private let relay: RelayLoop
    private let node: RelayNode
    private let clock: any CivilClock
    private let logger: Logger
    /// What became of a renewal: false where a later start of a node of the same name holds the lease.
    private let onRenewal: (_ isHeld: Bool) -> Void
    /// Runs once when a later start of a node of the same name took the lease.
    private let onSuperseded: () -> Void
    private var lease: NodeLease
    private var timer: RepeatedTask?
    private var renewals = 0

    /// A look at dead nodes for so many renewals: about two in a lease's TTL, over all nodes.
    private static let renewalsPerCleanUp = 2
    /// From the first failure to take the lease on, doubling until a renewal's period.
    private static let retryDelay = TimeAmount.milliseconds(100)
    private var retries = 0
    private var retry: Scheduled<Void>?
    /// Since when every renewal has succeeded.
    private var heldSince: NIODeadline?

    package init(
        lease: NodeLease, redis: (nodes: any NodeRegistry, presence: any PresenceRegistry), relay: RelayLoop,
        node: RelayNode, clock: any CivilClock, logger: Logger, onRenewal: @escaping (_ isHeld: Bool) -> Void,
        onSuperseded: @escaping () -> Void
    ) {
        eventLoop = relay.eventLoop
        registry = redis.nodes
        presence = redis.presence
        self.lease = lease
        self.relay = relay
        self.node = node
        self.clock = clock
        self.onRenewal = onRenewal
        self.logger = logger
        self.onSuperseded = onSuperseded
        node.awaitLease()
    }

    package func start() {
        let jitter = TimeAmount.milliseconds(.random(in: 0..<1_000, using: &relay.random))
        let period = TimeAmount.seconds(Limits.Node.leaseRenewSeconds)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timer = eventLoop.scheduleRepeatedTask(initialDelay: period + jitter, delay: period) { _ in
            bound.value.renew()
        }
        renew()
    }

    /// From now on the lease says that the node is being left.
    package func evacuating() {
        lease.state = .evacuating
        renew()
    }

    /// Gives the lease up.
    package func stop(_ completion: @escaping () -> Void) {
        timer?.cancel()
        timer = nil
        retry?.cancel()
        registry.releaseLease(lease, completion: completion)
    }

    private func renew() {
        take()
        renewals += 1
        if renewals.isMultiple(of: Self.renewalsPerCleanUp), hadTimeToRenew { cleanUp() }
    }

    /// After an outage of Redis all leases may have run out. Who lives renews its own before others take it for dead.
    private var hadTimeToRenew: Bool {
        heldSince.map { $0 + .seconds(Limits.Node.leaseSeconds) <= eventLoop.now } ?? false
    }

    private func take() {
        lease.connections = node.connectionCount
        registry.renewLease(lease) { isHeld in
            // Without Redis the lease cannot be anybody else's either.
            guard let isHeld else {
                self.heldSince = nil
                return self.takeSoon()
            }
            self.onRenewal(isHeld)
            if isHeld {
                self.retries = 0
                self.heldSince = self.heldSince ?? self.eventLoop.now
                return self.node.leaseTaken()
            }
            self.logger.error("a later start of a node of this name took over; this one stops")
            self.timer?.cancel()
            self.onSuperseded()
        }
    }

    /// The first lease is not to wait for the next renewal, since sessions wait for it; nor one that may have run out, since
    /// others could take this node for dead.
    private func takeSoon() {
        guard timer != nil, retry == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let delay = Self.retryDelay * Int64(1 << min(retries, 16))
        retries += 1
        retry = eventLoop.scheduleTask(in: min(delay, .seconds(Limits.Node.leaseRenewSeconds))) {
            bound.value.retry = nil
            if bound.value.timer != nil, bound.value.heldSince == nil { bound.value.take() }
        }
    }

    private func cleanUp() {
        registry.removeSessionsOfDeadNodes(by: lease.node) { orphaned in
            guard let orphaned, !orphaned.isEmpty else { return }
            self.logger.notice("sessions of dead nodes removed", metadata: ["users": "\(orphaned.count)"])
            let now = self.clock.now
            self.presence.leave(orphaned, at: now) { wentOffline in
                for user in wentOffline ?? [] { self.relay.announce(.offline(lastSeen: now), of: user) }
            }
        }
    }
}

@available(*, unavailable) extension LeaseKeeper: Sendable {}
