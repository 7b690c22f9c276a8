import BatonCore
import DequeModule
import NIOCore

/// What happens to a client. For one reader: asking for the next event says that the one before is applied.
public struct ClientEvents: AsyncSequence, Sendable {
    public typealias Element = ClientEvent
    public typealias Failure = Never

    let client: BatonClient

    public struct AsyncIterator: AsyncIteratorProtocol {
        let client: BatonClient

        /// The next event; nil when the client is closed or the task is cancelled.
        public mutating func next() async -> ClientEvent? { await client.nextEvent() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(client: client) }
}

extension BatonClient {
    /// What happens. Read it: entries of the inbox are acknowledged by being read, and a relay whose entries are not
    /// acknowledged stops sending.
    public nonisolated var events: ClientEvents { ClientEvents(client: self) }

    /// The next event with its place in the inbox, for harnesses that check the numbering.
    package func nextEntry() async -> (event: ClientEvent, inboxSequence: UInt64?)? {
        guard let event = await nextEvent() else { return nil }
        return (event, taken)
    }

    /// Says that the last event is applied, for readers that do not ask for another one soon.
    public func markApplied() {
        guard let sequence = taken else { return }
        taken = nil
        apply(sequence)
        acknowledge()
    }

    func nextEvent() async -> ClientEvent? {
        if let sequence = taken {
            taken = nil
            apply(sequence)
        }
        if let event = pop() {
            acknowledge()
            pump()
            return event
        }
        if case .closed = phase { return nil }
        precondition(consumer == nil, "the events of a client are for one reader")
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard !Task.isCancelled else { return continuation.resume(returning: nil) }
                consumer = continuation
                acknowledge()
            }
        } onCancel: {
            eventLoop.execute { self.assumeIsolated { $0.cancelConsumer() } }
        }
    }

    /// Hands an event to the reader, or lets it wait. Entries of the inbox are bounded by the relay's window.
    func push(_ event: QueuedEvent) {
        guard let consumer else { return queue.append(event) }
        self.consumer = nil
        taken = event.sequence
        consumer.resume(returning: event.event)
    }

    /// The application has applied the inbox up to here: keep that, then it may be acknowledged.
    func apply(_ sequence: UInt64) {
        session.applied(sequence)
        guard let position = session.position else { return }
        guard writer.hasFile else { return session.kept(position.sequence) }
        writer.append([.position(position)]).whenSuccess {
            self.assumeIsolated {
                $0.session.kept(position.sequence)
                $0.acknowledge()
            }
        }
    }

    private func pop() -> ClientEvent? {
        guard let event = queue.popFirst() else { return nil }
        taken = event.sequence
        return event.event
    }

    private func cancelConsumer() {
        consumer?.resume(returning: nil)
        consumer = nil
    }
}
