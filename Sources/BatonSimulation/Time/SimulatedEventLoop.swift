import Dispatch
import NIOCore
import Synchronization

/// An event loop on virtual time. All of a world's loops share its clock and its one thread; a loop of a process that
/// stands still (SIGSTOP) holds what becomes due until that goes on.
final class SimulatedEventLoop: EventLoop {
    private struct State {
        var isStill = false
        var held: [@Sendable () -> Void] = []
    }

    let time: SimulatedTime
    private let state = Mutex(State())

    init(_ time: SimulatedTime) { self.time = time }

    var now: NIODeadline { time.now }

    /// There is one thread.
    var inEventLoop: Bool { true }

    func execute(_ task: @escaping @Sendable () -> Void) { time.add(at: time.now, on: self, task) }

    @discardableResult
    func scheduleTask<Value>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> Value
    ) -> Scheduled<Value> {
        let promise = makePromise(of: Value.self)
        let ticket = SimulatedTime.Ticket { promise.fail(EventLoopError.cancelled) }
        time.add(at: deadline, on: self, ticket: ticket) {
            do { promise.assumeIsolated().succeed(try task()) } catch { promise.fail(error) }
        }
        return Scheduled(promise: promise) { ticket.cancel() }
    }

    @discardableResult
    func scheduleTask<Value>(
        in delay: TimeAmount, _ task: @escaping @Sendable () throws -> Value
    ) -> Scheduled<Value> {
        scheduleTask(deadline: time.now + delay, task)
    }

    /// It has no thread to end.
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(nil) }
    }

    // MARK: Standing still

    var isStill: Bool { state.withLock { $0.isStill } }

    /// Nothing happens on this loop until it goes on.
    func stop() { state.withLock { $0.isStill = true } }

    /// What became due meanwhile happens now, in its order.
    func goOn() {
        let held = state.withLock { state in
            defer { state = State() }
            return state.held
        }
        for task in held { execute(task) }
    }

    func run(_ task: @escaping @Sendable () -> Void) {
        let isHeld = state.withLock { state in
            if state.isStill { state.held.append(task) }
            return state.isStill
        }
        if !isHeld { task() }
    }
}
