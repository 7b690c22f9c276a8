import BatonCore

extension Engine {
    /// Numbers a device's connection, and says where the device stands.
    mutating func connect(_ request: ConnectRequest) throws(SQLiteFailure) -> StoreOutcome {
        guard let cursor = try rows.cursor(request.device, of: request.user) else {
            return .refused(.deviceRevoked(.loggedOut))
        }
        if let reason = try rows.revocation(of: cursor) { return .refused(.deviceRevoked(reason)) }
        let inbox = try rows.inbox(cursor.user)
        let epoch = try rows.epoch(of: cursor.user)
        if cursor.state == .idle {
            cursor.state = .active
            inbox.devices += 1
            rows.changed(inbox)
        }
        cursor.connections += 1
        cursor.lastUsed = max(cursor.lastUsed, request.at.milliseconds)
        rows.changed(cursor)
        let state = InboxState(
            epoch: epoch, head: InboxSequence(stored: inbox.head), truncated: InboxSequence(stored: inbox.truncated),
            cursor: InboxSequence(stored: cursor.position))
        return .connected(state, ConnectionGeneration(rawValue: UInt64(bitPattern: cursor.connections)))
    }
}
