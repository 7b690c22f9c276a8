package import BatonCore
import NIOCore

/// What a look at all connections found, once a second: how much they have not acknowledged, and who holds it up.
///
/// A slow reader is one whose window, or whose socket, was full at two looks in a row while events waited for it.
package struct ConnectionCensus: Sendable {
    package struct SlowReader: Hashable, Sendable {
        package let user: UserID
        package let device: DeviceID
        /// For how long it has had no room for what waits.
        package let milliseconds: Int64
        /// Events that it was not sent yet.
        package let waiting: UInt64
    }

    /// Slow readers that are named.
    package static let named = 8

    /// Events that a connection's device is known to have in its inbox and has not acknowledged, over all connections.
    package private(set) var unacknowledged: UInt64 = 0
    package private(set) var slowReaders = 0
    /// The slowest first.
    package private(set) var slowest: [SlowReader] = []

    package init() {}

    mutating func count(unacknowledged events: UInt64) { unacknowledged &+= events }

    mutating func count(_ reader: SlowReader) {
        slowReaders += 1
        name(reader)
    }

    mutating func add(_ other: ConnectionCensus) {
        unacknowledged &+= other.unacknowledged
        slowReaders += other.slowReaders
        for reader in other.slowest { name(reader) }
    }

    private mutating func name(_ reader: SlowReader) {
        let place = slowest.firstIndex { $0.milliseconds < reader.milliseconds } ?? slowest.count
        guard place < Self.named else { return }
        slowest.insert(reader, at: place)
        if slowest.count > Self.named { slowest.removeLast() }
    }
}

extension RelayHandler {
    /// Lets itself be counted. Once a second, after its `tick`.
    func join(_ census: inout ConnectionCensus, at now: NIODeadline) {
        guard let delivery else { return }
        census.count(unacknowledged: delivery.head.rawValue - delivery.acknowledged.rawValue)
        guard delivery.isBlocked, phase == .open else {
            blockedSince = nil
            return
        }
        guard let since = blockedSince else {
            blockedSince = now
            return
        }
        census.count(
            ConnectionCensus.SlowReader(
                user: principal.user, device: principal.device, milliseconds: (now - since).nanoseconds / 1_000_000,
                waiting: delivery.head.rawValue - delivery.sent.rawValue))
    }
}
