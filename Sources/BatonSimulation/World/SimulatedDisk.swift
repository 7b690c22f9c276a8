import BatonCore
import BatonTestKit
import NIOCore
import Synchronization

/// The one disk of a cluster: what was committed survives every node. Who writes has it alone, in the order of coming,
/// as with the store's turnstile.
final class SimulatedDisk {
    /// What a transaction's end comes to.
    enum Weather: Hashable {
        case fine
        /// Commits fail, and leave nothing.
        case failing
        /// Commits fail after the disk took them, as after a lost answer of a server.
        case failingLate
        case full
    }

    let messages = InMemoryMessageStore()
    let acquaintances: SimulatedAcquaintances
    var weather = Weather.fine
    /// Reads fail with this probability.
    var readFailures = 0.0
    /// How long a transaction and a read take.
    var latency: ClosedRange<Int64> = 200...3_000

    private let world: SimulatedWorld
    private var waiting: [() -> Void] = []
    private var isTaken = false

    init(_ world: SimulatedWorld) {
        self.world = world
        acquaintances = SimulatedAcquaintances(messages)
    }

    /// Runs when the disk is the caller's, who gives it back with `leave`.
    func enter(_ body: @escaping () -> Void) {
        guard !isTaken else {
            waiting.append(body)
            return
        }
        isTaken = true
        body()
    }

    func leave() {
        isTaken = false
        guard !waiting.isEmpty else { return }
        let next = waiting.removeFirst()
        isTaken = true
        next()
    }

    func delay() -> TimeAmount { world.microseconds(latency) }

    /// Where a device stands, for the end's checks.
    func state(of user: UserID, _ device: DeviceID) -> InboxState? {
        let answer = Answer<InboxState>()
        messages.inboxState(of: user, device: device) { result in
            let state = try? result.get()
            answer.value.withLock { $0 = state }
        }
        return answer.value.withLock { $0 }
    }
}

@available(*, unavailable) extension SimulatedDisk: Sendable {}
