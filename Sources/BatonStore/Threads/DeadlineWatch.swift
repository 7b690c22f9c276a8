import BatonCore

/// Refuses what has waited too long for the writer.
///
/// A thread of its own does so: the writer may hang in a lock that another process holds, a foreign program's on the
/// database or a stopped node's on the turnstile.
struct DeadlineWatch {
    let queue: WriteQueue
    let failures: CommitFailures

    func run() {
        while let overdue = queue.waitForOverdue() {
            guard !overdue.isEmpty else { continue }
            let reason = "another process held the store for \(queue.patience)"
            let error = StoreError.unavailable(reason)
            failures.failed(error, operations: overdue.reduce(0) { $0 + $1.count }, reason: reason)
            for entry in overdue { entry.fail(error) }
        }
    }
}
