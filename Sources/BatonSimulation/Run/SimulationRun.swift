import Foundation
import Synchronization

/// Many schedules, on several threads; each on one of them from its beginning to its end.
///
/// One that does not end within its bound has failed, and the run ends with it: nobody can stop a thread.
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
        /// How long one schedule may take.
        package var bound = Duration.seconds(SimulationBounds.seconds)

        package init() {}
    }

    /// What became of them, in bounded memory however many there are.
    package struct Report: Sendable {
        package var schedules: UInt64 = 0
        package var accepted = 0
        package var applied = 0
        package var virtualMilliseconds: Int64 = 0
        /// Of the longest schedule.
        package var steps = 0
        package var failures: [SimulationOutcome] = []

        package init() {}

        package mutating func add(_ outcome: SimulationOutcome) {
            schedules += 1
            accepted += outcome.accepted
            applied += outcome.applied
            virtualMilliseconds += outcome.virtualMilliseconds
            steps = max(steps, outcome.steps)
            if !outcome.isSound { failures.append(outcome) }
        }
    }

    private struct State {
        var next: UInt64
        var isStopped = false
        var report = Report()
        /// What each worker does, and since when; those that are through are not here.
        var current: [Int: (seed: UInt64?, since: SuspendingClock.Instant)] = [:]
    }

    private let settings: Settings
    private let simulate: @Sendable (UInt64) -> SimulationOutcome
    /// Runs after each schedule, on its thread.
    private let onProgress: @Sendable (Report) -> Void

    private static let clock = SuspendingClock()
    private static let lookInterval = Duration.milliseconds(20)

    /// - Parameter simulate: runs one seed.
    package init(
        _ settings: Settings, onProgress: @escaping @Sendable (Report) -> Void = { _ in },
        simulate: @escaping @Sendable (UInt64) -> SimulationOutcome = { Simulation.run(seed: $0) }
    ) {
        self.settings = settings
        self.onProgress = onProgress
        self.simulate = simulate
    }

    /// Ends with the last seed, with too many failures or one schedule that does not end, at the deadline, or at once
    /// when cancelled.
    package func run() async -> Report {
        let shared = Shared(State(next: settings.first))
        for worker in 0..<max(1, settings.workers) {
            shared.state.withLock { $0.current[worker] = (nil, .now) }
            // Threads of their own: those of the tasks have to be free, so that a signal is heard.
            Thread.detachNewThread { work(shared, worker) }
        }
        while !Task.isCancelled, shared.state.withLock({ !$0.current.isEmpty }) {
            if let seed = hung(shared) {
                let outcome = SimulationOutcome(hung: seed, after: settings.bound, trace: nil)
                shared.state.withLock { $0.report.add(outcome) }
                break
            }
            try? await Self.clock.sleep(for: Self.lookInterval)
        }
        return shared.state.withLock { state in
            state.isStopped = true
            return state.report
        }
    }

    /// Runs one seed with its trace, also where it does not end. Nil where that was cancelled.
    package static func traced(seed: UInt64, bound: Duration = .seconds(SimulationBounds.seconds)) async
        -> SimulationOutcome?
    {
        let trace = SimulationTrace(isOn: true)
        let outcomes = Shared<SimulationOutcome?>(nil)
        Thread.detachNewThread {
            let outcome = Simulation.run(seed: seed, trace: trace)
            outcomes.state.withLock { $0 = outcome }
        }
        let began = clock.now
        while !Task.isCancelled {
            if let outcome = outcomes.state.withLock({ $0 }) { return outcome }
            if clock.now - began > bound {
                return SimulationOutcome(hung: seed, after: bound, trace: trace.text)
            }
            try? await clock.sleep(for: lookInterval)
        }
        return nil
    }

    private final class Shared<Value>: Sendable {
        let state: Mutex<Value>
        init(_ value: sending Value) { state = Mutex(value) }
    }

    private func hung(_ shared: Shared<State>) -> UInt64? {
        let now = Self.clock.now
        return shared.state.withLock { state in
            state.current.values.first { $0.seed != nil && now - $0.since > settings.bound }?.seed
        }
    }

    private func work(_ shared: Shared<State>, _ worker: Int) {
        while let seed = next(shared, worker) {
            let outcome = simulate(seed)
            let report = shared.state.withLock { state in
                if !state.isStopped { state.report.add(outcome) }
                if state.report.failures.count >= settings.failures { state.isStopped = true }
                return state.report
            }
            onProgress(report)
        }
        shared.state.withLock { $0.current[worker] = nil }
    }

    private func next(_ shared: Shared<State>, _ worker: Int) -> UInt64? {
        if let deadline = settings.deadline, ContinuousClock.now >= deadline { return nil }
        return shared.state.withLock { state in
            if state.isStopped { return nil }
            if let count = settings.count, state.next &- settings.first >= count { return nil }
            defer { state.next &+= 1 }
            state.current[worker] = (state.next, .now)
            return state.next
        }
    }
}
