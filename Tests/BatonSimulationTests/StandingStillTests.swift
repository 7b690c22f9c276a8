import BatonSimulation
import Testing

/// Nodes of normal schedules stand still where it hurts, and go on when others have noticed, or just not yet.
@Suite("Nodes that stand still")
struct StandingStillTests {
    @Test("Within some seeds nodes stop before and after commits and publishes, and while their leases run out")
    func everywhere() {
        var points: Set<String> = []
        var isLeaseRunningOut = false
        for seed: UInt64 in 1...300 {
            guard points.count < Self.points.count || !isLeaseRunningOut else { break }
            let trace = Simulation.run(seed: seed, isTraced: true).trace ?? ""
            var last = ""
            for line in trace.split(separator: "\n") {
                let words = line.split(separator: " ")
                if line.contains(" stands still for "), let milliseconds = words.dropLast().last.flatMap({ Int64($0) })
                {
                    if last.contains(" comes to "), let point = last.split(separator: " ").last {
                        points.insert(String(point))
                    }
                    if (9_000...17_000).contains(milliseconds) { isLeaseRunningOut = true }
                }
                last = String(line)
            }
        }
        #expect(points.isSuperset(of: Self.points), "only \(points.sorted())")
        #expect(isLeaseRunningOut)
    }

    /// Before a commit without and with its lock, after it, before hints are published, and after.
    private static let points: Set<String> = [
        "handedOver", "committing", "committed", "relay(BatonCore.Failpoint.committed)",
        "relay(BatonCore.Failpoint.published)",
    ]
}
