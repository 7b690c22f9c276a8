package import BatonCore
import NIOConcurrencyHelpers
package import NIOCore
import Synchronization

/// What the event loops of one node share: which of them hold which user, how many connections there are, and
/// whether more are admitted. Everything else belongs to one loop.
package final class RelayNode: Sendable {
    package let settings: RelaySettings
    let metrics: RelayMetrics
    private let loops = Mutex<[NIOLoopBound<RelayLoop>]>([])
    /// For each user with connections here, a bit for each loop that has some.
    private let homes = Mutex<[UserID: UInt64]>([:])
    private let admission: Mutex<TokenBucket>
    private let lastConnection = Atomic<UInt64>(0)
    private let connections = Atomic<Int>(0)
    private let evacuating = Atomic<Bool>(false)
    private let unleased = Atomic<Bool>(false)
    private let loopCount = Atomic<Int>(0)
    /// What each loop last counted.
    private let censuses = Mutex<[ConnectionCensus]>([])

    /// Loops a node has at most: one bit each.
    package static let maximumLoops = 64

    package init(settings: RelaySettings, metrics: RelayMetrics = RelayMetrics()) {
        self.settings = settings
        self.metrics = metrics
        let rate = settings.admittedPerSecond
        admission = Mutex(TokenBucket(capacity: max(1, rate), perSecond: Double(max(1, rate))))
    }

    /// Live connections, those that have not said hello included.
    package var connectionCount: Int { connections.load(ordering: .relaxed) }

    package var isEvacuating: Bool { evacuating.load(ordering: .relaxed) }

    /// May one more connection begin? Asked before anything is queried for it.
    ///
    /// - Parameter upgrading: those that were admitted before and are not counted yet.
    /// - Returns: nil to admit it, or the milliseconds after which it may try again.
    package func admit(at now: NIODeadline, upgrading: Int = 0) -> Int? {
        guard !isEvacuating, connectionCount + upgrading < settings.connections else {
            return Self.fullRetryMilliseconds
        }
        let milliseconds = Int64(clamping: now.uptimeNanoseconds / 1_000_000)
        return admission.withLock { $0.take(at: milliseconds) }.map { Int(clamping: $0) }
    }

    /// When a client may try again at a node that is full or about to stop.
    private static let fullRetryMilliseconds = 1_000

    func add(_ loop: NIOLoopBound<RelayLoop>) -> Int {
        let index = loops.withLock { loops in
            loops.append(loop)
            return loops.count - 1
        }
        loopCount.store(index + 1, ordering: .relaxed)
        return index
    }

    var allLoops: [NIOLoopBound<RelayLoop>] { loops.withLock { $0 } }

    /// What a loop counted of its connections.
    func report(_ census: ConnectionCensus, of loop: Int) {
        censuses.withLock { censuses in
            while censuses.count <= loop { censuses.append(ConnectionCensus()) }
            censuses[loop] = census
        }
    }

    /// All loops' connections, as they were counted within the last second.
    package var census: ConnectionCensus {
        censuses.withLock { $0 }.reduce(into: ConnectionCensus()) { $0.add($1) }
    }

    /// A loop has ended, and the others do now. The node lets go of them; they hold the node.
    func stopped() { loops.withLock { $0 = [] } }

    func connectionBegan() { connections.wrappingAdd(1, ordering: .relaxed) }
    func connectionEnded() { connections.wrappingSubtract(1, ordering: .relaxed) }

    func newConnectionID() -> ConnectionID {
        ConnectionID(rawValue: lastConnection.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    // MARK: The lease

    /// A `LeaseKeeper` will take a lease for this node. Until then it writes no sessions: no node would find them if it died.
    func awaitLease() { unleased.store(true, ordering: .relaxed) }

    /// Whether its sessions are found should it die.
    var isLeased: Bool { !unleased.load(ordering: .relaxed) }

    func leaseTaken() {
        guard unleased.exchange(false, ordering: .relaxed) else { return }
        for loop in allLoops { loop.eventLoop.execute { loop.value.registerAll() } }
    }

    // MARK: Where users are

    func enter(_ user: UserID, on loop: Int) {
        homes.withLock { $0[user, default: 0] |= 1 << UInt64(loop) }
    }

    func leave(_ user: UserID, from loop: Int) {
        homes.withLock { homes in
            guard let bits = homes[user] else { return }
            let rest = bits & ~(1 << UInt64(loop))
            homes[user] = rest == 0 ? nil : rest
        }
    }

    /// The loop through which a user's messages go that come on no connection: one that holds connections of the user, so
    /// that they share a budget, or always the same.
    func submissionLoop(of user: UserID) -> NIOLoopBound<RelayLoop>? {
        let bits = homes.withLock { $0[user] ?? 0 }
        return loops.withLock { loops in
            guard !loops.isEmpty else { return nil }
            let home = bits.trailingZeroBitCount
            return loops.indices.contains(home) ? loops[home] : loops[Int(user.rawValue % UInt64(loops.count))]
        }
    }

    /// The loops beside `loop` that hold connections of a user.
    func otherLoops(than loop: Int, of user: UserID) -> [NIOLoopBound<RelayLoop>] {
        guard loopCount.load(ordering: .relaxed) > 1 else { return [] }
        let bits = homes.withLock { $0[user] ?? 0 } & ~(1 << UInt64(loop))
        guard bits != 0 else { return [] }
        return loops.withLock { loops in
            loops.indices.filter { bits & (1 << UInt64($0)) != 0 }.map { loops[$0] }
        }
    }

    /// Closes the connections of a revoked device on this node, whether or not the bus can tell the others.
    package func revoke(_ device: DeviceID, of user: UserID) {
        for loop in loops(of: user) {
            loop.eventLoop.execute { loop.value.closeRevoked(device, of: user) }
        }
    }

    /// Two users may have become acquainted, or no longer are: for their connections on this node.
    package func acquaintanceChanged(of user: UserID, and other: UserID) {
        for (one, another) in [(user, other), (other, user)] {
            for loop in loops(of: one) {
                loop.eventLoop.execute { loop.value.acquaintanceChanged(of: one, with: another) }
            }
        }
    }

    private func loops(of user: UserID) -> [NIOLoopBound<RelayLoop>] {
        let bits = homes.withLock { $0[user] ?? 0 }
        return loops.withLock { loops in
            loops.indices.filter { bits & (1 << UInt64($0)) != 0 }.map { loops[$0] }
        }
    }

    /// Tells all connections to go elsewhere, at the configured rate, and admits no more. Ends when they are gone or
    /// the deadline has passed.
    package func evacuate() -> EventLoopFuture<Void>? {
        guard evacuating.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged else {
            return nil
        }
        let loops = loops.withLock { $0 }
        guard let first = loops.first else { return nil }
        let rate = Double(max(1, settings.evacuatedPerSecond)) / Double(loops.count)
        let futures = loops.map { loop in
            loop.eventLoop.flatSubmit { loop.value.evacuate(perSecond: rate) }
        }
        return EventLoopFuture.andAllComplete(futures, on: first.eventLoop)
    }
}
