import BatonCore
import NIOCore

extension RelayNode {
    /// Asks all loops what they know of a message. Each looks at a slice of its ring between what else it does, so that
    /// nobody's message waits for who is curious.
    package func trace(_ keys: TraceKeys) async -> TraceAnswer {
        let loops = allLoops
        var scan = TraceScan(keys)
        for _ in 0..<TraceScan.passes {
            let known = scan.keys
            scan.begin(again: known)
            for loop in loops { scan = await Self.scan(loop, scan) }
            if scan.keys == known { break }
        }
        var answer = TraceAnswer(
            node: settings.node.name, incarnation: settings.incarnation, isLive: true,
            at: TraceAnchor.civilNanoseconds() / 1_000,
            since: TraceAnchor.microseconds(ofMilliseconds: Int64(clamping: settings.incarnation)))
        answer.entries = scan.entries
        answer.isTruncated = scan.isTruncated
        let users = Array(scan.keys.places.keys)
        for loop in loops {
            let seen = try? await loop.eventLoop.submit {
                (loop.value.trace.since, loop.value.traceConnections(of: users))
            }.get()
            guard let (since, connections) = seen else { continue }
            if let since { answer.since = max(answer.since, since) }
            answer.connections += connections
        }
        return answer
    }

    /// One loop's ring, slice by slice. A loop that has ended tells nothing.
    private static func scan(_ loop: NIOLoopBound<RelayLoop>, _ scan: TraceScan) async -> TraceScan {
        var scan = scan
        var position: UInt64? = 0
        while let start = position {
            let before = scan
            let step = try? await loop.eventLoop.submit {
                var scan = before
                let next = scan.look(
                    at: loop.value.trace, from: start, limit: Limits.Trace.sliceEvents, loop: loop.value.index)
                return (scan, next)
            }.get()
            guard let step else { return scan }
            (scan, position) = step
        }
        return scan
    }
}

extension TraceRing {
    /// Microseconds since 1970 of the oldest record, where older ones were overwritten.
    var since: Int64? {
        guard oldest > 0, let record = self[oldest] else { return nil }
        return anchor.civilMicroseconds(record.time)
    }
}

extension RelayLoop {
    func traceConnections(of users: [UserID]) -> [TraceConnection] {
        users.flatMap { user in connections.of(user).map(traceConnection) }
    }

    private func traceConnection(_ handler: RelayHandler) -> TraceConnection {
        let phase =
            switch handler.phase {
            case .awaitingHello: "awaiting_hello"
            case .opening: "opening"
            case .open: "open"
            case .closing: "closing"
            }
        var connection = TraceConnection(
            user: handler.principal.user.description, device: handler.principal.device.description, phase: phase)
        guard let delivery = handler.delivery else { return connection }
        connection.sent = delivery.sent.rawValue
        connection.acknowledged = delivery.acknowledged.rawValue
        connection.head = delivery.head.rawValue
        connection.unacknowledged = delivery.eventsInFlight
        connection.isBlocked = delivery.isBlocked
        connection.isWritable = handler.context?.channel.isWritable ?? false
        connection.withoutProgressMilliseconds = (eventLoop.now - handler.lastProgress).nanoseconds / 1_000_000
        return connection
    }
}
