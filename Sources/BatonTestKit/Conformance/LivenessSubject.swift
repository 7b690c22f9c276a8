public import BatonCore
public import NIOCore

/// The ports of what is alive, as one node's event loop has them, for `LivenessConformance`.
public final class LivenessPorts {
    public let bus: any Bus
    public let sessions: any SessionRegistry
    public let presence: any PresenceRegistry
    public let nodes: any NodeRegistry
    public let buckets: any SharedBuckets
    public let receiver = RecordingBusReceiver()

    public init(
        bus: any Bus, sessions: any SessionRegistry, presence: any PresenceRegistry, nodes: any NodeRegistry,
        buckets: any SharedBuckets
    ) {
        self.bus = bus
        self.sessions = sessions
        self.presence = presence
        self.nodes = nodes
        self.buckets = buckets
        bus.receiver = receiver
    }
}

@available(*, unavailable)
extension LivenessPorts: Sendable {}

/// Two nodes that share what is alive: what a conformance case is run on. The nodes' ports are used on their own event
/// loops only.
public struct LivenessSubject: Sendable {
    public struct Node: Sendable {
        private let ports: NIOLoopBound<LivenessPorts>

        public init(_ ports: NIOLoopBound<LivenessPorts>) {
            self.ports = ports
        }

        /// Makes a node of in-memory or other ports, on an event loop.
        public static func make(
            on eventLoop: any EventLoop, _ make: @escaping @Sendable () -> LivenessPorts
        ) async throws -> Node {
            try await eventLoop.submit { Node(NIOLoopBound(make(), eventLoop: eventLoop)) }.get()
        }

        /// Calls a port on the event loop and awaits its completion, for at most ten seconds.
        public func ask<Answer: Sendable>(
            _ question: @escaping @Sendable (LivenessPorts, @escaping (Answer) -> Void) -> Void
        ) async throws -> Answer {
            let ports = ports
            let eventLoop = ports.eventLoop
            return try await eventLoop.flatSubmit {
                let promise = eventLoop.makePromise(of: Answer.self)
                let timer = eventLoop.scheduleTask(in: .seconds(10)) { promise.fail(LivenessConformance.NoAnswer()) }
                promise.futureResult.whenComplete { _ in timer.cancel() }
                question(ports.value) { promise.succeed($0) }
                return promise.futureResult
            }.get()
        }

        public func tell(_ order: @escaping @Sendable (LivenessPorts) -> Void) async throws {
            let ports = ports
            try await ports.eventLoop.submit { order(ports.value) }.get()
        }
    }

    public let one: Node
    public let two: Node

    public init(one: Node, two: Node) {
        self.one = one
        self.two = two
    }
}
