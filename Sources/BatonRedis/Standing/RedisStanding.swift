import BatonCore
package import NIOCore
import Synchronization

/// What of a node's functions Redis refuses: one for all of a node's event loops, which tell it.
///
/// It is no measure of whether Redis can be reached (`RedisLoop.Health`): what is not answered is not refused.
package final class RedisStanding: Sendable {
    package enum Change: Hashable, Sendable {
        /// - Parameter text: as Redis said it.
        case began(RedisFunction, RedisRefusal, text: String)
        case ended(RedisFunction, after: TimeAmount)
    }

    private let machine = Mutex(Machine())
    /// A bit for each function that is refused: who is not asks nobody.
    private let mask = Atomic<UInt8>(0)
    private let now: @Sendable () -> NIODeadline
    private let onRefused: @Sendable (RedisRefusal) -> Void
    private let onChange: @Sendable (Change) -> Void

    /// - Parameters:
    ///   - onRefused: each time.
    ///   - onChange: one for all refusals of a function in a row. Both are called on event loops.
    package init(
        now: @escaping @Sendable () -> NIODeadline = { .now() },
        onRefused: @escaping @Sendable (RedisRefusal) -> Void = { _ in },
        onChange: @escaping @Sendable (Change) -> Void = { _ in }
    ) {
        self.now = now
        self.onRefused = onRefused
        self.onChange = onChange
    }

    package var refused: [RedisFunction: RedisRefusal] { machine.withLock { $0.refused } }

    package func isRefused(_ function: RedisFunction) -> Bool { mask.load(ordering: .relaxed) & function.bit != 0 }

    /// Errors that are no refusal say nothing.
    func failed(_ function: RedisFunction, _ error: RedisError) {
        guard let refusal = RedisRefusal(error), case .refused(let text) = error else { return }
        onRefused(refusal)
        change { $0.failed(function, refusal, text: text, now: now()) }
    }

    /// Something that takes all that the function needs was carried out.
    func worked(_ function: RedisFunction) {
        guard isRefused(function) else { return }
        change { $0.worked(function, now: now()) }
    }

    /// Forgets what is long ago. To be called once in a while.
    package func look() {
        guard mask.load(ordering: .relaxed) != 0 else { return }
        change { $0.looked(now: now()) }
    }

    private func change(_ body: (inout Machine) -> [Change]) {
        let changes = machine.withLock { machine in
            let changes = body(&machine)
            mask.store(machine.mask, ordering: .relaxed)
            return changes
        }
        for change in changes { onChange(change) }
    }
}
