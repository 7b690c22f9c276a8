public import BatonCore

/// A bus between the nodes of an `InMemoryCluster`. Messages arrive before `publish` returns, unless the cluster
/// loses them.
public final class InMemoryBus: Bus {
    public weak var receiver: (any BusReceiver)?
    public private(set) var subscribed: Set<BusChannel> = []
    /// While true subscriptions are taken up, but not confirmed before `confirmHeld`.
    public var holdsConfirmations = false
    /// While true nothing can be published, as when only the command connection is gone.
    public var refusesMessages = false
    private var held: [(Bool) -> Void] = []
    private let cluster: InMemoryCluster

    public init(_ cluster: InMemoryCluster) {
        self.cluster = cluster
        cluster.attach(self)
    }

    public var isConnected: Bool { !cluster.isDown }
    public var carriesHints: Bool { isConnected && !refusesMessages }

    public func subscribe(_ channel: BusChannel, confirmed: @escaping (Bool) -> Void) {
        subscribed.insert(channel)
        if holdsConfirmations { held.append(confirmed) } else { confirmed(isConnected) }
    }

    /// Confirms what waits, and from now on at once.
    public func confirmHeld() {
        holdsConfirmations = false
        let waiting = held
        held = []
        for confirmed in waiting { confirmed(isConnected) }
    }

    public func unsubscribe(_ channel: BusChannel) {
        subscribed.remove(channel)
    }

    public func publish(_ message: BusMessage, to channel: BusChannel, receivers: ((Int?) -> Void)?) {
        let count = isConnected && !refusesMessages ? cluster.publish(message, to: channel) : nil
        receivers?(count)
    }

    func connectionChanged(isUp: Bool) {
        if isUp { receiver?.subscriptionsRestored() } else { receiver?.subscriptionsLost() }
    }
}

@available(*, unavailable)
extension InMemoryBus: Sendable {}
