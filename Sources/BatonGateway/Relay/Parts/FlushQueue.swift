/// The connections that have written something since the last flush. Each is flushed once a tick.
///
/// It flushes nothing: a flush runs other code, which may write again, and so `RelayLoop` does that with what it took out of
/// here. Used on the event loop of the `RelayLoop` that owns it.
struct FlushQueue {
    private var handlers: [RelayHandler] = []
    /// Whether an `accepted` of a new message is among what was written; noted only while failpoints are armed.
    private(set) var holdsAccepted = false

    /// - Returns: whether it was not there yet.
    mutating func add(_ handler: RelayHandler) -> Bool {
        guard !handler.needsFlush else { return false }
        handler.needsFlush = true
        handlers.append(handler)
        return true
    }

    /// What is written next, or was just now, has an `accepted` of a new message.
    mutating func noteAccepted() { holdsAccepted = true }

    /// Those to flush now, in the order in which they first wrote.
    mutating func take() -> [RelayHandler] {
        holdsAccepted = false
        let taken = handlers
        handlers.removeAll(keepingCapacity: true)
        return taken
    }
}
