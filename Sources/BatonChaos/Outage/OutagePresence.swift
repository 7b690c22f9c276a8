import BatonHistory
import Synchronization

/// Which clients are online, and since when.
final class OutagePresence: Sendable {
    private struct State {
        var online: [Int: ContinuousClock.Instant] = [:]
        var attempts = 0
        var waiter: AsyncStream<Void>.Continuation?
    }

    private let state = Mutex(State())

    var attempts: Int { state.withLock { $0.attempts } }
    /// Of each that is online, since when.
    var online: [ContinuousClock.Instant] { state.withLock { Array($0.online.values) } }

    func attempted() { state.withLock { $0.attempts += 1 } }

    /// Attempts count from now on, and nobody is online who is not so again.
    func begin() {
        state.withLock {
            $0.attempts = 0
            $0.online = [:]
        }
    }

    func set(_ client: Int, isOnline: Bool) {
        state.withLock { state in
            state.online[client] = isOnline ? ContinuousClock.now : nil
            state.waiter?.yield()
        }
    }

    /// Waits until so many are online.
    ///
    /// - Returns: false where they are not in time, or the task was cancelled.
    func reached(_ count: Int, within limit: Duration) async -> Bool {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.waiter = continuation }
        continuation.yield()
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in stream where self.state.withLock({ $0.online.count >= count }) { return true }
                return false
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: limit)
                return false
            }
            let isReached = await group.next() ?? false
            group.cancelAll()
            continuation.finish()
            return isReached
        }
    }
}
