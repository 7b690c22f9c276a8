package import Metrics
package import NIOCore

/// Measures how late each event loop runs a timer: the first sign of a node that has too much to do, or of code that
/// blocks a loop.
package struct EventLoopLagProbe: Sendable {
    private let tasks: [RepeatedTask]

    /// - Parameter onTick: called on each loop whenever its timer runs.
    package init(
        group: any EventLoopGroup, every interval: TimeAmount = .seconds(1), lag: Metrics.Timer,
        onTick: @escaping @Sendable () -> Void = {}
    ) {
        tasks = group.makeIterator().map { loop in
            let due = NIOLoopBoundBox.makeBoxSendingValue(NIODeadline?.none, as: NIODeadline?.self, eventLoop: loop)
            return loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
                let now = loop.now
                if let due = due.value { lag.recordNanoseconds(max(0, (now - due).nanoseconds)) }
                due.value = now + interval
                onTick()
            }
        }
    }

    package func stop() {
        for task in tasks { task.cancel() }
    }
}
