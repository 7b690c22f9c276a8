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

    @Test("Settings that make no run are refused with the flag that is wrong")
    func objections() throws {
        #expect(settings().objection == nil)
        func objection(_ change: (inout ChaosSettings) -> Void) throws -> String {
            var settings = settings()
            change(&settings)
            return try #require(settings.objection)
        }
        #expect(try objection { $0.nodes = 0 }.contains("--nodes"))
        #expect(try objection { $0.users = 1 }.contains("--users"))
        #expect(try objection { $0.rate = 0 }.contains("--rate"))
        #expect(try objection { $0.rate = .nan }.contains("--rate"))
        #expect(try objection { $0.seconds = 1 }.contains("--seconds"))
        #expect(try objection { $0.killEvery = 0 }.contains("--kill-every"))
        #expect(try objection { $0.faults = [] }.contains("--faults"))
    }
}
