import BatonAPI
import BatonCore
package import BatonGateway
package import Logging
package import NIOCore
import Synchronization

/// The connections of an edge until they are WebSockets: what `ConnectionBounds` decides is done here, and a stop tells
/// them. Any thread may call.
package final class EdgeConnections: Sendable {
    private struct State {
        var bounds: ConnectionBounds<ObjectIdentifier>
        var watch = BoundWatch(quietSeconds: Limits.Node.boundQuietSeconds)
        /// Those that are no WebSockets.
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isQuiescing = false
    }

    private let state: Mutex<State>
    private let onBound: @Sendable (ConnectionBound) -> Void
    private let logger: Logger

    /// - Parameter onBound: told of each connection that is refused, or closed for another one.
    package init(
        _ sizes: ConnectionBounds<ObjectIdentifier>.Sizes, onBound: @escaping @Sendable (ConnectionBound) -> Void,
        logger: Logger
    ) {
        state = Mutex(State(bounds: ConnectionBounds(sizes)))
        self.onBound = onBound
        self.logger = logger
    }

    /// Connections that are no WebSockets.
    package var plainCount: Int { state.withLock { $0.bounds.open } }

    /// WebSockets that were admitted and are not open yet.
    package var upgrading: Int { state.withLock { $0.bounds.upgrading } }

    // MARK: The life of a connection

    /// To be called on the connection's loop when it is there.
    ///
    /// - Parameter address: the client's; nil where a proxy is yet to say.
    /// - Returns: whether it is taken; where it is not it is to be closed.
    package func opened(_ channel: any Channel, address: String?) -> Bool {
        let id = ObjectIdentifier(channel)
        let (verdict, isQuiescing) = state.withLock { state in
            let verdict = state.bounds.opened(id, from: address.map { ClientNetwork.name(of: $0) })
            if case .refused = verdict {} else { state.channels[id] = channel }
            return (verdict, state.isQuiescing)
        }
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.ended(id) }
        guard carryOut(verdict, address, on: channel.eventLoop) == nil else { return false }
        if isQuiescing { tell(channel) }
        return true
    }

    /// - Parameter isReserved: it asks for what is answered beyond the bounds.
    /// - Returns: why it is refused.
    package func asked(_ channel: any Channel, address: String, isReserved: Bool) -> HandshakeRefusal? {
        let verdict = state.withLock { state in
            state.bounds.asked(
                ObjectIdentifier(channel), from: ClientNetwork.name(of: address), isReserved: isReserved)
        }
        return carryOut(verdict, address, on: channel.eventLoop)
    }

    /// The last answer has left.
    package func answered(_ channel: any Channel) {
        state.withLock { $0.bounds.answered(ObjectIdentifier(channel)) }
    }

    /// It was refused what it asked for, and lives on until it has heard so.
    package func ending(_ channel: any Channel) {
        state.withLock { $0.bounds.ending(ObjectIdentifier(channel)) }
    }

    /// - Returns: why it is refused.
    package func admitted(_ channel: any Channel, address: String) -> HandshakeRefusal? {
        let verdict = state.withLock { state in
            state.bounds.admitted(ObjectIdentifier(channel), from: ClientNetwork.name(of: address))
        }
        return carryOut(verdict, address, on: channel.eventLoop)
    }

    /// It is a WebSocket, and the relay's.
    package func upgraded(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        state.withLock { state in
            state.bounds.upgraded(id)
            state.channels[id] = nil
        }
    }

    private func ended(_ id: ObjectIdentifier) {
        state.withLock { state in
            state.bounds.ended(id)
            state.channels[id] = nil
        }
    }

    /// Tells all who are plain or undecided that the node stops, also those that come later.
    package func quiesce() {
        let channels = state.withLock { state in
            state.isQuiescing = true
            return Array(state.channels.values)
        }
        channels.forEach(tell)
    }

    private func tell(_ channel: any Channel) {
        channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }

    // MARK: Bounds

    /// A WebSocket was refused because the node has as many as it takes, or as many were admitted this second.
    package func admissionRefused(_ address: String, on eventLoop: any EventLoop) {
        isMet(.admission, address, on: eventLoop)
    }

    private func carryOut(
        _ verdict: ConnectionBounds<ObjectIdentifier>.Verdict, _ address: String?, on eventLoop: any EventLoop
    ) -> HandshakeRefusal? {
        switch verdict {
        case .taken: return nil
        case .takenFor(let other, let bound):
            let channel = state.withLock { $0.channels.removeValue(forKey: other) }
            // It waits for nothing that is its due, so it needs no goodbye.
            channel?.close(promise: nil)
            isMet(bound, address, on: eventLoop)
            return nil
        case .refused(let bound):
            isMet(bound, address, on: eventLoop)
            return refusal(bound)
        }
    }

    private func refusal(_ bound: ConnectionBound) -> HandshakeRefusal {
        let sizes = state.withLock { $0.bounds.sizes }
        return switch bound {
        case .plain, .admission: .overloaded(retryAfterMilliseconds: Self.retryMilliseconds)
        case .plainPerAddress:
            .tooManyConnections(
                "an address may ask for \(sizes.plainPerAddress) things at the same time",
                retryAfterMilliseconds: Self.retryMilliseconds)
        case .socketsPerAddress:
            .tooManyConnections(
                "an address may have \(sizes.socketsPerAddress) connections",
                retryAfterMilliseconds: Self.retryMilliseconds)
        }
    }

    private static let retryMilliseconds: UInt32 = 1_000

    private func isMet(_ bound: ConnectionBound, _ address: String?, on eventLoop: any EventLoop) {
        onBound(bound)
        let (isNews, isFirst) = state.withLock { state in
            let isFirst = !state.watch.isAnyMet
            return (state.watch.isMet(bound, second: eventLoop.now.second), isFirst)
        }
        if isNews {
            logger.warning(
                "a bound of connections is met: some are refused, or closed for others",
                metadata: ["bound": "\(bound.rawValue)", "address": "\(address ?? "not known yet")"])
        }
        if isFirst { look(on: eventLoop) }
    }

    /// Each second while a bound is met.
    private func look(on eventLoop: any EventLoop) {
        eventLoop.scheduleTask(in: .seconds(1)) {
            let (over, isAnyMet) = self.state.withLock { state in
                (state.watch.over(second: eventLoop.now.second), state.watch.isAnyMet)
            }
            for over in over {
                self.logger.notice(
                    "a bound of connections is no longer met",
                    metadata: ["bound": "\(over.bound.rawValue)", "times": "\(over.times)"])
            }
            if isAnyMet { self.look(on: eventLoop) }
        }
    }
}

extension NIODeadline {
    fileprivate var second: Int64 { Int64(clamping: uptimeNanoseconds / 1_000_000_000) }
}
