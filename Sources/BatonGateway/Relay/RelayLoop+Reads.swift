import BatonCore
import BatonProtocol
import DequeModule
import NIOCore

/// Reads of inboxes: so many at a time for one loop, the others in line, so that a herd of reconnecting clients costs
/// each of them time and nobody memory.
struct PendingReads {
    enum Read {
        case open(UserID, DeviceID)
        case page(UserID, after: InboxSequence, limit: Int, bytes: Int)
    }

    private var waiting = Deque<(ConnectionGeneration, Read)>()
    private var underWay = 0

    /// How many wait in line, those included that left meanwhile.
    var waitingCount: Int { waiting.count }

    /// Takes those out of the line who left.
    mutating func forget(where hasLeft: (ConnectionGeneration) -> Bool) {
        waiting.removeAll { hasLeft($0.0) }
    }

    /// - Returns: whether the read may begin now; otherwise it waits in line.
    mutating func begin(_ read: Read, for generation: ConnectionGeneration) -> Bool {
        guard underWay < Limits.Node.drainsInFlight else {
            waiting.append((generation, read))
            return false
        }
        underWay += 1
        return true
    }

    /// - Returns: the next in line, which begins now.
    mutating func ended() -> (ConnectionGeneration, Read)? {
        guard let next = waiting.popFirst() else {
            underWay -= 1
            return nil
        }
        return next
    }
}

extension RelayLoop {
    func openInbox(for handler: RelayHandler) {
        read(.open(handler.principal.user, handler.principal.device), for: handler.generation)
    }

    func readInbox(for handler: RelayHandler, after: InboxSequence, limit: Int, bytes: Int) {
        let read = PendingReads.Read.page(
            handler.principal.user, after: after, limit: min(limit, Limits.Store.pageEvents),
            bytes: min(bytes, Limits.Store.pageBytes))
        self.read(read, for: handler.generation)
    }

    private func read(_ read: PendingReads.Read, for generation: ConnectionGeneration) {
        // A connection has at most one read in line. Those that left are taken out where they are the most, so that
        // clients that come and go while the store is slow do not make the line longer than there are connections.
        if reads.waitingCount > 2 * handlers.count + Limits.Node.drainsInFlight {
            reads.forget { handlers[$0] == nil }
        }
        if reads.begin(read, for: generation) { begin(read, for: generation) }
    }

    private func begin(_ read: PendingReads.Read, for generation: ConnectionGeneration) {
        let (bound, eventLoop) = (sendable, eventLoop)
        switch read {
        case .open(let user, let device):
            store.openInbox(of: user, device: device) { result in
                eventLoop.execute { bound.value.opened(result, for: generation) }
            }
        case .page(let user, let after, let limit, let bytes):
            store.readInbox(of: user, after: after, limit: limit, bytes: bytes) { result in
                eventLoop.execute { bound.value.received(result, for: generation) }
            }
        }
    }

    private func opened(_ result: Result<InboxState?, StoreError>, for generation: ConnectionGeneration) {
        readEnded()
        guard let handler = handlers[generation] else { return }
        switch result {
        case .success(let state?): handler.opened(state)
        case .success(nil): handler.close(.revoked, "this device was revoked; log in again")
        case .failure(let error):
            handler.write(.error(WireError(error)))
            handler.close(.overloaded, "the store is not available; reconnect later")
        }
    }

    private func received(_ result: Result<InboxPage, StoreError>, for generation: ConnectionGeneration) {
        readEnded()
        handlers[generation]?.receivedPage(result)
    }

    private func readEnded() {
        while let (generation, read) = reads.ended() {
            // Those that left while they waited cost nothing.
            guard handlers[generation] != nil else { continue }
            begin(read, for: generation)
            return
        }
    }
}
