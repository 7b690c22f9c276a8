import BatonCore
import DequeModule

/// Reads of inboxes that wait for their turn. `Limits.Node.drainsInFlight` of a loop are under way at a time; the others wait
/// in line. So a herd of clients that reconnect costs each of them time, and the node no memory.
///
/// A connection has at most one read in line. Those of connections that left stay there until their turn, or until `forget`.
///
/// It knows no connections but by their ids, and reads nothing: `RelayLoop` does. Used on the event loop of the `RelayLoop`
/// that owns it.
struct InboxReads {
    enum Read: Hashable {
        /// Where a device stands in the inbox of its user.
        case state(UserID, DeviceID)
        /// A page of a user's events.
        case page(UserID, after: InboxSequence, limit: Int, bytes: Int)
    }

    private var waiting = Deque<(ConnectionID, Read)>()
    private var underWay = 0

    /// How many wait in line, those of connections that left included.
    var waitingCount: Int { waiting.count }

    /// Takes those of connections that left out of the line.
    mutating func forget(where hasLeft: (ConnectionID) -> Bool) {
        waiting.removeAll { hasLeft($0.0) }
    }

    /// - Returns: whether the read may begin now; otherwise it waits in line.
    mutating func begin(_ read: Read, for id: ConnectionID) -> Bool {
        guard underWay < Limits.Node.drainsInFlight else {
            waiting.append((id, read))
            return false
        }
        underWay += 1
        return true
    }

    /// One that was under way has ended.
    ///
    /// - Returns: the next in line, which begins now in its place.
    mutating func ended() -> (ConnectionID, Read)? {
        guard let next = waiting.popFirst() else {
            underWay -= 1
            return nil
        }
        return next
    }
}
