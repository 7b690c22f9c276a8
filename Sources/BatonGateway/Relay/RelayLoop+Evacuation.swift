import BatonCore
import BatonProtocol
import NIOCore

/// Sends the connections to other nodes before this one stops.
extension RelayLoop {
    /// Closes so many connections a second, until none is left or the time for it has passed. Each is told after how long to
    /// come back; the times are spread.
    func evacuate(perSecond rate: Double) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        evacuate(rate, since: eventLoop.now, told: 0, promise)
        return promise.futureResult
    }

    /// - Parameter told: how many were told to go by now.
    private func evacuate(
        _ rate: Double, since began: NIODeadline, told: Int, _ promise: EventLoopPromise<Void>
    ) {
        let elapsed = eventLoop.now - began
        if connections.isEmpty || elapsed >= .seconds(node.settings.evacuationSeconds) {
            promise.succeed()
            return
        }
        // As many as may have gone by the next step. The first goes at once, however slow the rate.
        let milliseconds = elapsed.nanoseconds / 1_000_000 + Self.stepMilliseconds
        let due = max(1, Int(rate * Double(milliseconds) / 1_000))
        var told = told
        for handler in connections.all where handler.phase != .closing {
            guard told < due else { break }
            told += 1
            let wait = Int64.random(in: 0...Self.reconnectMilliseconds, using: &random)
            handler.goAway(after: wait, "the node stops")
        }
        let (bound, soFar) = (sendable, told)
        eventLoop.scheduleTask(in: .milliseconds(Self.stepMilliseconds)) {
            bound.value.evacuate(rate, since: began, told: soFar, promise)
        }
    }

    /// The time between two steps. Short, so that a low rate is spread over the second, and a small node is quick.
    private static let stepMilliseconds: Int64 = 100

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
