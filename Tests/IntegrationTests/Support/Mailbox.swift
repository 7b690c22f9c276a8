import NIOCore
import NIOPosix
import Synchronization

/// What came, in order, for one reader who waits no longer than a deadline.
final class Mailbox<Element: Sendable>: Sendable {
    struct NothingCame: Error, CustomStringConvertible {
        let awaited: String
        let passedOver: [Element]
        var description: String { "waited too long for \(awaited); meanwhile came \(passedOver.suffix(5))" }
    }

    private struct State {
        var items: [Element] = []
        var waiter: CheckedContinuation<Element?, Never>?
    }

    private let state = Mutex(State())

    func put(_ element: Element) {
        let waiter = state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            if waiter == nil { state.items.append(element) }
            return waiter
        }
        waiter?.resume(returning: element)
    }

    /// The first that fits; what came before it is gone.
    @discardableResult
    func first<Result>(
        _ awaited: String, within limit: TimeAmount = .seconds(20), _ fits: (Element) -> Result?
    ) async throws -> Result {
        let deadline = NIODeadline.now() + limit
        var passedOver: [Element] = []
        while let element = await next(until: deadline) {
            if let result = fits(element) { return result }
            passedOver.append(element)
        }
        throw NothingCame(awaited: awaited, passedOver: passedOver)
    }

    /// What is here now.
    func drain() -> [Element] {
        state.withLock { state in
            defer { state.items = [] }
            return state.items
        }
    }

    private func next(until deadline: NIODeadline) async -> Element? {
        let timeout = MultiThreadedEventLoopGroup.singleton.next().scheduleTask(deadline: deadline) { self.giveUp() }
        defer { timeout.cancel() }
        return await withCheckedContinuation { continuation in
            let element = state.withLock { state -> Element? in
                if state.items.isEmpty {
                    state.waiter = continuation
                    return nil
                }
                return state.items.removeFirst()
            }
            if let element { continuation.resume(returning: element) }
        }
    }

    private func giveUp() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
