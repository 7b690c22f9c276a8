import Testing

@testable import BatonChaos
@testable import BatonHistory

@Suite("Which faults are on at the same time")
struct FaultTurnsTests {
    private func claim(_ action: FaultAction) -> FaultTurns.Claim { FaultTurns.Claim(action, nodes: 3) }

    @Test("Faults of different things are on together, faults of one thing one after the other")
    func resources() {
        let turns = Turns(nodes: 3)
        #expect(turns.asked(1, for: claim(.kill([0]))))
        #expect(turns.asked(2, for: claim(.redis(.kill))))
        #expect(turns.asked(3, for: claim(.breakLink(.redis, of: 0, .blackHole))))
        #expect(!turns.asked(4, for: claim(.stop(0))))
        #expect(!turns.asked(5, for: claim(.redis(.flush))))
        #expect(turns.ended(2) == [5])
        #expect(turns.ended(1) == [4])
    }

    @Test("The last node that serves is left alone, but by a short fault of all")
    func progress() {
        let turns = Turns(nodes: 3)
        #expect(turns.asked(1, for: claim(.kill([0, 1]))))
        #expect(!turns.asked(2, for: claim(.breakLink(.clients, of: 2, .refuse))))
        #expect(turns.asked(3, for: claim(.herd)))
        #expect(turns.ended(3) == [])
        #expect(turns.ended(1) == [2])
    }

    @Test("Nobody is overtaken by one that needs the same")
    func order() {
        let turns = Turns(nodes: 3)
        #expect(turns.asked(1, for: claim(.kill([0]))))
        #expect(!turns.asked(2, for: claim(.kill([0, 1, 2]))))
        #expect(!turns.asked(3, for: claim(.kill([1]))))
        #expect(turns.ended(1) == [2])
        #expect(turns.hasProcess(2))
        #expect(turns.ended(2) == [3])
    }

    @Test("Every fault of a plan can begin in a cluster at rest", arguments: 1...4)
    func alone(nodes: Int) {
        var settings = ChaosSettings(seed: 1, executable: "/nowhere/baton", directory: "/nowhere/run")
        settings.nodes = nodes
        settings.shim = "/nowhere/shim"
        settings.otherExecutable = "/nowhere/other"
        settings.seconds = 300
        for fault in ChaosPlan.faults(settings) {
            let turns = Turns(nodes: nodes)
            #expect(turns.asked(fault.number, for: FaultTurns.Claim(fault.action, nodes: nodes)))
        }
    }
}

/// The machine behind a reference, so that an expectation may change it.
private final class Turns {
    private var machine: FaultTurns

    init(nodes: Int) { machine = FaultTurns(nodes: nodes) }

    func asked(_ number: Int, for claim: FaultTurns.Claim) -> Bool { machine.asked(number, for: claim) }
    func ended(_ number: Int) -> [Int] { machine.ended(number) }
    func hasProcess(_ node: Int) -> Bool { machine.hasProcess(node) }
}
