import BatonChaos
import BatonHistory
import Testing

@Suite("The plan of a chaos run")
struct ChaosPlanTests {
    private func settings(
        seed: UInt64 = 1, _ change: (inout ChaosSettings) -> Void = { _ in }
    ) -> ChaosSettings {
        var settings = ChaosSettings(seed: seed, executable: "/nowhere/baton", directory: "/nowhere/run")
        settings.shim = "/nowhere/shim"
        change(&settings)
        return settings
    }

    private func selection(_ list: String) throws -> FaultSelection {
        let (selection, unknown) = FaultSelection.parsed(list)
        try #require(unknown == nil)
        return selection
    }

    @Test(
        "In 60 s each kind that can be made comes at least once, in every variant",
        arguments: 1...20 as ClosedRange<UInt64>)
    func kinds(seed: UInt64) {
        let plan = ChaosPlan(settings(seed: seed))
        #expect(Set(plan.leftOut.map(\.kind)) == [.zombie, .mixed])
        #expect(Set(plan.faults.map(\.kind)) == Set(FaultKind.allCases).subtracting([.zombie, .mixed]))
        #expect(plan.faults.filter { $0.kind == .node }.map(\.at) == Array(stride(from: 6.0, to: 59, by: 6)))
        let links = plan.faults.compactMap { fault in
            if case .breakLink(let link, _, _) = fault.action { "\(fault.kind) \(link)" } else { nil }
        }
        #expect(Set(links).count == 14)
        #expect(plan.faults.filter { $0.kind == .failpoint }.count >= 4)
        #expect(plan.faults.map(\.at) == plan.faults.map(\.at).sorted())
        #expect(plan.faults.allSatisfy { $0.at < 59 })
        #expect(plan.faults.map(\.number) == Array(1...plan.faults.count))
    }

    @Test("A rolling restart stops each node, one after the other")
    func rolling() throws {
        let faults = try selection("sigterm")
        let plan = ChaosPlan.faults(settings { $0.faults = faults })
        #expect(plan.prefix(3).map(\.action) == [.terminate(0), .terminate(1), .terminate(2)])
    }

    @Test("The same seed makes the same plan, another seed another one")
    func seeds() {
        #expect(ChaosPlan.faults(settings(seed: 5)) == ChaosPlan.faults(settings(seed: 5)))
        #expect(ChaosPlan.faults(settings(seed: 5)) != ChaosPlan.faults(settings(seed: 6)))
    }

    @Test("Kinds and groups are chosen by their names, and none else are planned")
    func chosen() throws {
        let redis = try selection("redis,herd")
        #expect(redis.kinds == Set(FaultKind.allCases.filter { $0.group == .redis } + [.herd]))
        #expect(redis.named == [.herd])
        let plan = ChaosPlan.faults(settings { $0.faults = redis })
        #expect(Set(plan.map(\.kind)) == redis.kinds)
        #expect(FaultSelection.parsed("redis,meteor").unknown == "meteor")
        #expect(try selection("all").kinds == Set(FaultKind.allCases))
    }

    @Test("In a run that is too short for all of them some are left out, and said to be")
    func short() {
        let plan = ChaosPlan(settings { $0.seconds = 12 })
        #expect((8...20).contains(plan.faults.count))
        #expect(Set(plan.faults.map(\.kind) + plan.leftOut.map(\.kind)) == Set(FaultKind.allCases))
        #expect(plan.text.contains("left out: "))
    }

    @Test("What cannot be made is left out with its reason, and refused where it was asked for by name")
    func obstacles() throws {
        let without = settings { $0.shim = nil }
        #expect(without.objection == nil)
        let leftOut = ChaosPlan(without).leftOut.map(\.kind)
        #expect(Set(leftOut) == [.zombie, .mixed, .diskFull, .fsyncSlow, .fsyncFail, .clock])
        for (list, word) in [
            ("disk-full", "BatonFaultShim"), ("host", "BatonFaultShim"), ("zombie", "--seconds"),
            ("mixed", "--other-executable"),
        ] {
            let faults = try selection(list)
            let refused = settings {
                $0.shim = nil
                $0.faults = faults
            }
            #expect(refused.objection?.contains(word) == true)
        }
        let faults = try selection("kill-two")
        let two = settings {
            $0.nodes = 2
            $0.faults = faults
        }
        #expect(two.objection?.contains("--nodes") == true)
    }

    @Test("While a node is stopped for longer than every TTL nothing waits for it")
    func zombie() throws {
        let plan = ChaosPlan.faults(settings { $0.seconds = 120 })
        let zombie = try #require(plan.first { $0.kind == .zombie })
        guard case .stop(let node) = zombie.action else { return }
        let meanwhile = plan.filter { $0.at > zombie.at && $0.at < zombie.at + zombie.seconds }
        #expect(meanwhile.count > 20)
        #expect(!meanwhile.contains { $0.action == .kill([node]) || $0.kind == .killAll || $0.kind == .killTwo })
        #expect(plan.contains { $0.kind == .killAll })
    }

    @Test("Settings that make no run are refused with the flag that is wrong")
    func objections() throws {
        #expect(settings().objection == nil)
        func objection(_ change: (inout ChaosSettings) -> Void) throws -> String {
            try #require(settings(change).objection)
        }
        #expect(try objection { $0.nodes = 0 }.contains("--nodes"))
        #expect(try objection { $0.users = 1 }.contains("--users"))
        #expect(try objection { $0.rate = 0 }.contains("--rate"))
        #expect(try objection { $0.rate = .nan }.contains("--rate"))
        #expect(try objection { $0.seconds = 1 }.contains("--seconds"))
        #expect(try objection { $0.killEvery = 0 }.contains("--kill-every"))
        #expect(try objection { $0.faults = FaultSelection(kinds: [], named: []) }.contains("--faults"))
    }
}
