import BatonCore
import BatonSimulation
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
}
