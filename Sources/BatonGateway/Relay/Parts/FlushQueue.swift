import NIOCore

/// The connections that have written something since the last flush. Each is flushed once a tick.
struct FlushQueue {
    private var handlers: [RelayHandler] = []
    /// An `accepted` is among what was written.
    var holdsAccepted = false

    /// - Returns: whether it was not there yet.
    mutating func add(_ handler: RelayHandler) -> Bool {
        guard !handler.needsFlush else { return false }
        handler.needsFlush = true
        handlers.append(handler)
        return true
    }

    mutating func flush() {
        holdsAccepted = false
        let handlers = handlers
        self.handlers.removeAll(keepingCapacity: true)
        for handler in handlers {
            handler.needsFlush = false
            handler.context?.flush()
        }
    }
}
