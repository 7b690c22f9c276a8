import BatonCore
import CAllocations

/// Counts what the relay allocates on this thread; what its ports in memory allocate is not counted.
enum Allocations {
    static func counted(_ body: () throws -> Void) rethrows -> UInt64 {
        let before = baton_allocations()
        let counted = baton_count_allocations(true)
        defer { _ = baton_count_allocations(counted) }
        try body()
        return baton_allocations() - before
    }

    static func uncounted<Result>(_ body: () throws -> Result) rethrows -> Result {
        let counted = baton_count_allocations(false)
        defer { _ = baton_count_allocations(counted) }
        return try body()
    }

    /// What a port calls back is the relay's again.
    static func resumed<Result>(_ body: () throws -> Result) rethrows -> Result {
        let counted = baton_count_allocations(true)
        defer { _ = baton_count_allocations(counted) }
        return try body()
    }
}

/// A bus whose own allocations are not counted.
final class UncountedBus: Bus, BusReceiver {
    private let inner: any Bus
    weak var receiver: (any BusReceiver)?

    init(_ inner: any Bus) {
        self.inner = inner
        inner.receiver = self
    }

    var isConnected: Bool { inner.isConnected }
    var carriesHints: Bool { inner.carriesHints }

    func subscribe(_ channel: BusChannel, confirmed: @escaping (Bool) -> Void) {
        Allocations.uncounted {
            inner.subscribe(channel) { isConfirmed in Allocations.resumed { confirmed(isConfirmed) } }
        }
    }

    func unsubscribe(_ channel: BusChannel) { Allocations.uncounted { inner.unsubscribe(channel) } }

    func publish(_ message: BusMessage, to channel: BusChannel, receivers: ((Int?) -> Void)?) {
        Allocations.uncounted {
            inner.publish(message, to: channel) { count in Allocations.resumed { receivers?(count) } }
        }
    }

    func received(_ message: BusMessage, on channel: BusChannel) {
        Allocations.resumed { receiver?.received(message, on: channel) }
    }

    func subscriptionsLost() { receiver?.subscriptionsLost() }
    func subscriptionsRestored() { receiver?.subscriptionsRestored() }
}

@available(*, unavailable) extension UncountedBus: Sendable {}
