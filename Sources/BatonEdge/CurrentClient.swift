import Synchronization

/// Who sent the request that a connection is about to answer.
///
/// `PlainHTTPHandler` decides it with the request's head and sets it before the head goes on; the task that answers reads it
/// when it has the head. A connection has one request at a time, so there is one.
final class CurrentClient: Sendable {
    private let current: Mutex<EdgeOrigin>

    init(_ origin: EdgeOrigin) { current = Mutex(origin) }

    var origin: EdgeOrigin {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }
}
