import BatonCore
import BatonProtocol
import NIOCore

/// Moving the connections elsewhere before the node stops.
extension RelayLoop {
    /// Closes so many connections a second, each told a jittered time after which to come back, until none is left or
    /// the deadline has passed.
    func evacuate(perSecond rate: Int) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        evacuate(rate, until: eventLoop.now + .seconds(node.settings.evacuationSeconds), promise)
        return promise.futureResult
    }

    private func evacuate(_ rate: Int, until deadline: NIODeadline, _ promise: EventLoopPromise<Void>) {
        let living = handlers.values.filter { $0.phase != .closing }
        if handlers.isEmpty || eventLoop.now >= deadline {
            promise.succeed()
            return
        }
        // Ten steps a second, so that a rate below the number of connections is spread and a small node is quick.
        for handler in living.prefix(max(1, rate / 10)) {
            let wait = Int64.random(in: 0...Self.reconnectMilliseconds, using: &random)
            handler.goAway(after: wait, "the node stops")
        }
        let bound = sendable
        eventLoop.scheduleTask(in: .milliseconds(100)) { bound.value.evacuate(rate, until: deadline, promise) }
    }

    private static let reconnectMilliseconds: Int64 = 1_000
}

extension RelayHandler {
    func goAway(after milliseconds: Int64, _ reason: String) {
        var goAway = WireGoAway()
        goAway.reconnectAfterMs = UInt32(clamping: milliseconds)
        goAway.reason = reason
        write(.goAway(goAway))
        close(.evacuated, reason)
    }
}
