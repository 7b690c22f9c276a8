import BatonCore
import Testing

@testable import BatonNode

@Suite("The failpoints of a node's configuration")
struct FailpointRuleTests {
    @Test(
        "A rule says where, what and how often",
        arguments: [
            ("committed=kill@1/200", FailpointRule.act(.committed, .kill, .chance(200))),
            ("published=pause:500@100", .act(.published, .pause(milliseconds: 500), .every(100))),
            ("drain=kill", .act(.drain, .kill, .every(1))),
            (
                "acknowledged=pause:60000@1/1000000000",
                .act(.acknowledged, .pause(milliseconds: 60_000), .chance(1_000_000_000))
            ),
            ("seed=18446744073709551615", .seed(.max)),
        ])
    func rules(text: String, rule: FailpointRule) throws {
        #expect(try FailpointRule(checking: text) == rule)
    }

    @Test(
        "A wrong rule stops the start with one line that says what is wrong with it",
        arguments: [
            ("committed", "'committed' has no ="), ("commit=kill", "'commit' is none of committed, published"),
            ("drain=die", "'die' is neither kill nor pause"), ("drain=pause:0", "'pause:0' is neither kill nor pause"),
            ("drain=pause:60001", "'pause:60001' is neither"), ("drain=kill@0", "'@0' is neither @n nor @1/n"),
            ("drain=kill@2/3", "'@2/3' is neither"), ("drain=kill@1/0", "'@1/0' is neither"),
            ("drain=kill@1000000001", "'@1000000001' is neither"), ("drain=kill@", "'@' is neither"),
            ("seed=x", "'x' is no seed"), ("seed=-1", "'-1' is no seed"),
        ])
    func wrongRules(text: String, what: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try NodeConfiguration.load(file: nil, environment: ["BATON_FAILPOINTS": "seed=1,\(text)"], flags: [])
        }
        let line = error?.description ?? ""
        #expect(line.contains("BATON_FAILPOINTS") && line.contains(what) && !line.contains("\n"), "\(line)")
    }

    @Test("Each n-th pass of a point acts, and no other point's passes count")
    func everyNth() {
        let armed = ArmedFailpoints([.act(.drain, .kill, .every(3)), .act(.drain, .pause(milliseconds: 1), .every(2))])
        #expect(armed.points == [.drain])
        let passes = (1...6).map { _ in
            #expect(armed.actions(at: .committed).isEmpty)
            return armed.actions(at: .drain)
        }
        let pause = FailpointRule.Action.pause(milliseconds: 1)
        #expect(passes == [[], [pause], [.kill], [pause], [], [.kill, pause]])
    }

    @Test("Chances are as said, and the same seed takes the same ones")
    func chances() {
        func acts(seed: UInt64) -> [Bool] {
            let armed = ArmedFailpoints([.seed(seed), .act(.committed, .kill, .chance(10))])
            return (0..<5_000).map { _ in !armed.actions(at: .committed).isEmpty }
        }
        #expect(acts(seed: 1) == acts(seed: 1) && acts(seed: 1) != acts(seed: 2))
        #expect((400...600).contains(acts(seed: 3).count { $0 }))
    }

    @Test("A pause holds the event loop, and then the node goes on")
    func pause() {
        let armed = ArmedFailpoints([.act(.drain, .pause(milliseconds: 20), .every(1))])
        let began = ContinuousClock.now
        armed.failpoints.passed(.drain)
        #expect(ContinuousClock.now - began >= .milliseconds(20))
        #expect(!ArmedFailpoints([]).failpoints.isArmed(.drain))
    }
}
