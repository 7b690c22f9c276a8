public import BatonCore

/// Remembers what a bus tells, and calls back when there is something.
public final class RecordingBusReceiver: BusReceiver {
    public enum Event: Hashable, Sendable {
        case message(BusMessage, BusChannel)
        case lost
        case restored
    }

    public private(set) var events: [Event] = []
    private var waiting: (count: Int, body: ([Event]) -> Void)?

    public init() {}

    public func received(_ message: BusMessage, on channel: BusChannel) { append(.message(message, channel)) }
    public func subscriptionsLost() { append(.lost) }
    public func subscriptionsRestored() { append(.restored) }

    /// Runs once, as soon as there are so many events since the last `clear`; only one may wait at a time.
    public func whenThere(are count: Int, _ body: @escaping ([Event]) -> Void) {
        if events.count >= count { body(events) } else { waiting = (count, body) }
    }

    public func clear() { events = [] }

    private func append(_ event: Event) {
        events.append(event)
        guard let (count, body) = waiting, events.count >= count else { return }
        waiting = nil
        body(events)
    }
}

@available(*, unavailable)
extension RecordingBusReceiver: Sendable {}
