import BatonHistory
package import NIOCore
import NIOPosix
import Synchronization

/// Stands between those who connect and one who listens, on loopback, and breaks what goes through it on demand.
///
/// While nothing is broken it only carries bytes, so it is always in the way, and faults meet connections that live.
package final class FaultProxy: Sendable {
    private struct State {
        var fault: LinkFault?
        var listener: (any Channel)?
        var links: [ObjectIdentifier: NIOLoopBound<ProxyLink>] = [:]
        var port: Int
    }

    private let target: Int
    private let group: any EventLoopGroup
    private let state: Mutex<State>
    private let swallowed = Atomic(0)
    private let halfOpen = Atomic(0)

    /// For listening again on a port that was given up for a while.
    private static let bindAttempts = 50
    private static let bindPause = Duration.milliseconds(100)

    /// - Parameter port: 0: a free one.
    package init(port: Int, to target: Int, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton) {
        state = Mutex(State(port: port))
        self.target = target
        self.group = group
    }

    package var port: Int { state.withLock { $0.port } }

    /// Bytes that were read and will not be written.
    package var swallowedBytes: Int { swallowed.load(ordering: .relaxed) }

    /// Connections of which one end does not know that the other is gone.
    package var halfOpenCount: Int { halfOpen.load(ordering: .relaxed) }

    /// Connections that go through it now.
    package var connectionCount: Int { state.withLock { $0.links.count } }

    package func start() async throws { try await listen() }

    /// Does something else to all connections, those that live and those that come; nil: only carries them.
    package func set(_ fault: LinkFault?) async throws {
        let (links, listener) = state.withLock { state in
            state.fault = fault
            defer { if fault == .refuse { state.listener = nil } }
            return (Array(state.links.values), state.listener)
        }
        if fault == .refuse {
            try? await listener?.close()
        } else if listener == nil {
            try await listen()
        }
        for link in links { try await link.eventLoop.submit { link.value.changed(to: fault) }.get() }
    }

    /// Resets every connection there is.
    package func dropAll() async throws {
        for link in state.withLock({ Array($0.links.values) }) {
            try await link.eventLoop.submit { link.value.reset() }.get()
        }
    }

    /// Resets those of which one end does not know that the other is gone.
    package func dropHalfOpen() async throws {
        for link in state.withLock({ Array($0.links.values) }) {
            try await link.eventLoop.submit { if link.value.isHalfOpen { link.value.reset() } }.get()
        }
    }

    package func stop() async {
        let listener = state.withLock { state in
            defer { state.listener = nil }
            return state.listener
        }
        try? await listener?.close()
        try? await dropAll()
    }

    // MARK: Private

    private func listen() async throws {
        for attempt in 1... {
            do {
                let listener = try await ServerBootstrap(group: group)
                    .serverChannelOption(.backlog, value: 1024)
                    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                    .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                    .childChannelInitializer { [self] channel in accepted(channel) }
                    .bind(host: "127.0.0.1", port: port).get()
                return state.withLock { state in
                    state.listener = listener
                    state.port = listener.localAddress?.port ?? state.port
                }
            } catch {
                guard attempt < Self.bindAttempts else { throw error }
                try await ContinuousClock().sleep(for: Self.bindPause)
            }
        }
    }

    private func accepted(_ client: any Channel) -> EventLoopFuture<Void> {
        client.eventLoop.makeCompletedFuture {
            let fault = state.withLock { $0.fault }
            let link = ProxyLink(
                client: client, fault: fault,
                counts: ProxyLink.Counts(
                    swallowed: { [self] in swallowed.add($0, ordering: .relaxed) },
                    halfOpen: { [self] in halfOpen.add($0, ordering: .relaxed) }))
            let bound = NIOLoopBound(link, eventLoop: client.eventLoop)
            let id = ObjectIdentifier(link)
            state.withLock { $0.links[id] = bound }
            client.closeFuture.whenComplete { [self] _ in forget(id) }
            try client.pipeline.syncOperations.addHandler(ProxyHandler(link, .client))
            // Who is not there cannot be connected to.
            if fault != .blackHole { connect(bound) }
            let now = state.withLock { $0.fault }
            if now != fault { link.changed(to: now) }
        }
    }

    /// A link is forgotten when both of its sockets are closed; the client's may be closed first, or last.
    private func forget(_ id: ObjectIdentifier) {
        guard let bound = state.withLock({ $0.links[id] }), bound.value.isClosed else { return }
        state.withLock { $0.links[id] = nil }
    }

    private func connect(_ link: NIOLoopBound<ProxyLink>) {
        ClientBootstrap(group: link.eventLoop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in
                let id = ObjectIdentifier(link.value)
                channel.closeFuture.whenComplete { [self] _ in forget(id) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProxyHandler(link.value, .server))
                }
            }
            .connect(host: "127.0.0.1", port: target)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let server): link.value.connected(to: server)
                case .failure: link.value.couldNotConnect()
                }
            }
    }
}
