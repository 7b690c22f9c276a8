import BatonCore
import BatonProtocol
import NIOCore

/// Reads inboxes for the connections here, as many at a time as `InboxReads` says.
extension RelayLoop {
    /// The store has numbered a connection, or refused to.
    func connectEnded(_ outcome: StoreOutcome, of handler: RelayHandler) {
        switch (outcome, handler.phase) {
        case (_, .closing), (_, .awaitingHello): break
        case (.connected(let state, let generation), .opening):
            handler.numbered(generation)
            handler.beginDelivery(at: state)
        case (.connected(_, let generation), .open): handler.numbered(generation)
        case (.refused(.deviceRevoked(let reason)), _): handler.closeRevoked(reason)
        case (.refused, _): handler.closeRevoked(.loggedOut)
        // Its disk may be full, or locked by another program. Delivery needs no write.
        case (.failed, .opening): readState(for: handler)
        case (.failed, .open), (.sent, _), (.acknowledged, _), (.markedRead, _): break
        }
    }

    private func readState(for handler: RelayHandler) {
        read(.state(handler.principal.user, handler.principal.device), for: handler.id)
    }

    func readInbox(for handler: RelayHandler, after: InboxSequence, limit: Int, bytes: Int) {
        let read = InboxReads.Read.page(
            handler.principal.user, after: after, limit: min(limit, Limits.Store.pageEvents),
            bytes: min(bytes, Limits.Store.pageBytes))
        self.read(read, for: handler.id)
    }

    private func read(_ read: InboxReads.Read, for id: ConnectionID) {
        // A connection has at most one read in line. When most of the line has left, those are taken out. So clients that come
        // and go while the store is slow do not make the line longer than there are connections.
        if reads.waitingCount > 2 * connections.count + Limits.Node.drainsInFlight {
            reads.forget { connections[$0] == nil }
        }
        if reads.begin(read, for: id) { begin(read, for: id) }
    }

    private func begin(_ read: InboxReads.Read, for id: ConnectionID) {
        let (bound, eventLoop) = (sendable, eventLoop)
        switch read {
        case .state(let user, let device):
            store.inboxState(of: user, device: device) { result in
                eventLoop.execute { bound.value.learnedState(result, for: id) }
            }
        case .page(let user, let after, let limit, let bytes):
            store.readInbox(of: user, after: after, limit: limit, bytes: bytes) { result in
                eventLoop.execute { bound.value.received(result, for: id) }
            }
        }
    }

    private func learnedState(_ result: Result<InboxState?, StoreError>, for id: ConnectionID) {
        beginNextRead()
        guard let handler = connections[id] else { return }
        switch result {
        case .success(let state?):
            handler.numbered(.unnumbered)
            handler.beginDelivery(at: state)
        case .success(nil): handler.closeRevoked(.loggedOut)
        case .failure(let error):
            handler.write(.error(FrameError(WireError(error)).answering(.hello(WireHello())).error))
            handler.close(.overloaded, "the store is not available; reconnect later")
        }
    }

    private func received(_ result: Result<InboxPage, StoreError>, for id: ConnectionID) {
        beginNextRead()
        guard let handler = connections[id] else { return }
        handler.receivedPage(result)
    }

    private func beginNextRead() {
        while let (id, read) = reads.ended() {
            // A connection that left while it waited costs nothing.
            guard connections[id] != nil else { continue }
            begin(read, for: id)
            return
        }
    }
}
