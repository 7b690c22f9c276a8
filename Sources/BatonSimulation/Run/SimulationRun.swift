import Synchronization

/// Many schedules, on several threads; each on one of them from its beginning to its end.
package struct SimulationRun: Sendable {
    package struct Settings: Sendable {
        /// The first seed; the others follow it.
        package var first: UInt64 = 1
        /// How many; nil for no end.
        package var count: UInt64? = 1_000
        package var workers = 2
        /// Failures after which the run ends: one would do, more show whether they have something in common.
        package var failures = 3
        package var deadline: ContinuousClock.Instant?

        package init() {}
    }

    /// What became of them, in bounded memory however many there are.
    package struct Report: Sendable {
        package var schedules: UInt64 = 0
        package var accepted = 0
        package var applied = 0
        package var virtualMilliseconds: Int64 = 0
        package var failures: [SimulationOutcome] = []

        package init() {}
    }

    private struct State {
        var next: UInt64
        var isStopped = false
        var report = Report()
    }

    private let settings: Settings
    /// Runs after each schedule, on its thread.
    private let onProgress: @Sendable (Report) -> Void

    package init(_ settings: Settings, onProgress: @escaping @Sendable (Report) -> Void = { _ in }) {
        self.settings = settings
        self.onProgress = onProgress
    }

    /// Ends with the last seed, with too many failures, at the deadline, or when cancelled.
    package func run() async -> Report {
        let state = Shared(State(next: settings.first))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, settings.workers) { group.addTask { work(state) } }
        }
        return state.value.withLock { $0.report }
    }

    private final class Shared: Sendable {
        let value: Mutex<State>
        init(_ state: sending State) { value = Mutex(state) }
    }

    private func work(_ shared: Shared) {
        while let seed = next(shared) {
            let outcome = Simulation.run(seed: seed)
            let report = shared.value.withLock { state in
                state.report.schedules += 1
                state.report.accepted += outcome.accepted
                state.report.applied += outcome.applied
                state.report.virtualMilliseconds += outcome.virtualMilliseconds
                if !outcome.isSound, state.report.failures.count < settings.failures {
                    state.report.failures.append(outcome)
                }
                if state.report.failures.count >= settings.failures { state.isStopped = true }
                return state.report
            }
            onProgress(report)
        }
    }

    private func next(_ shared: Shared) -> UInt64? {
        if Task.isCancelled { return nil }
        if let deadline = settings.deadline, ContinuousClock.now >= deadline { return nil }
        return shared.value.withLock { state in
            if state.isStopped { return nil }
            if let count = settings.count, state.next &- settings.first >= count { return nil }
            defer { state.next &+= 1 }
            return state.next
        }
    }
}
