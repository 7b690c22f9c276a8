import BatonCore
import BatonSimulation
import Dispatch
import Testing

@Suite("Simulation")
struct SimulationTests {
    @Test("Schedules of this process are sound, whatever order its hash tables have", arguments: 1...20)
    func sound(seed: UInt64) {
        let outcome = Simulation.run(seed: seed)
        #expect(outcome.failures == [], "baton simulate --seed \(seed)")
    }

    @Test("A run counts its schedules and ends with the last")
    func run() async {
        var settings = SimulationRun.Settings()
        settings.first = 100
        settings.count = 6
        let report = await SimulationRun(settings).run()
        #expect(report.schedules == 6)
        #expect(report.failures.isEmpty)
    }

    @Test("A schedule that takes more steps than its bound has failed, and its trace says what it did")
    func endless() {
        let whole = Simulation.run(seed: 7)
        let bounded = Simulation.run(seed: 7, isTraced: true, steps: whole.steps / 2)
        #expect(bounded.failures.map(\.name) == ["endless"])
        #expect(bounded.trace?.contains("FAILED") == true)
        // Tables are ordered by chance in this process, so another run of the seed takes some steps more or fewer.
        #expect(Simulation.run(seed: 7, steps: 2 * whole.steps).failures == [])
    }

    @Test("A schedule that never ends fails the run, which does not wait for it")
    func hung() async {
        var settings = SimulationRun.Settings()
        settings.count = 6
        settings.bound = .seconds(2)
        let never = DispatchSemaphore(value: 0)
        let sound = Simulation.run(seed: 1)
        // The others end at once, however busy the machine is.
        let run = SimulationRun(
            settings,
            simulate: { seed in
                if seed == 3 { never.wait() }
                return sound
            })
        let report = await run.run()
        never.signal()
        #expect(report.failures.map(\.seed) == [3])
        #expect(report.failures.first?.failures.map(\.name) == ["hung"])
    }
}
