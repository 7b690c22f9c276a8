import BatonLoad
import Testing

@Suite("The plan of a chaos run")
struct ChaosPlanTests {
    private func settings(seed: UInt64 = 1) -> ChaosSettings {
        ChaosSettings(seed: seed, executable: "/nowhere/baton", directory: "/nowhere/run")
    }

    @Test("A node dies every so many seconds, Redis is emptied and killed once, each node is stopped once in order")
    func kinds() {
        let plan = ChaosPlan.faults(settings())
        #expect(plan.filter { $0.kind == .node }.map(\.at) == Array(stride(from: 3.0, to: 59, by: 3)))
        #expect(plan.filter { $0.kind == .redisFlush }.map(\.at) == [20])
        #expect(plan.filter { $0.kind == .redisKill }.map(\.at) == [40])
        #expect(Set(plan.filter { $0.kind == .sigterm }.map(\.node)) == [0, 1, 2])
        #expect(plan.allSatisfy { (0.5...2).contains($0.downSeconds) && (0..<3).contains($0.node) })
        #expect(plan.map(\.at) == plan.map(\.at).sorted())
    }

    @Test("The same seed makes the same plan, another seed another one")
    func seeds() {
        #expect(ChaosPlan.faults(settings(seed: 5)) == ChaosPlan.faults(settings(seed: 5)))
        #expect(ChaosPlan.faults(settings(seed: 5)) != ChaosPlan.faults(settings(seed: 6)))
    }

    @Test("Only the faults that were asked for are planned")
    func chosen() {
        var settings = settings()
        settings.faults = [.redisKill]
        #expect(ChaosPlan.faults(settings).map(\.kind) == [.redisKill])
    }

    @Test(
        "Settings that make no run are refused with the flag that is wrong",
        arguments: [
            ("--nodes", { $0.nodes = 0 }), ("--users", { $0.users = 1 }), ("--rate", { $0.rate = 0 }),
            ("--rate", { $0.rate = .nan }), ("--seconds", { $0.seconds = 1 }),
            ("--kill-every", { $0.killEvery = 0 }), ("--faults", { $0.faults = [] }),
        ] as [(String, @Sendable (inout ChaosSettings) -> Void)])
    func objections(flag: String, change: @Sendable (inout ChaosSettings) -> Void) throws {
        var settings = settings()
        #expect(settings.objection == nil)
        change(&settings)
        #expect(try #require(settings.objection).contains(flag))
    }
}
