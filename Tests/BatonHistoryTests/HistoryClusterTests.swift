import BatonHistory
import Testing

@Suite("What a cluster does and uses, by the histories")
struct HistoryClusterTests {
    // MARK: Connections

    @Test("Two connections of a device live together no longer than a displacement takes")
    func twoConnections() throws {
        var run = HistoryBuilder("a1")
        run.connected("a1", 1)
        run.connected("a1", 2, to: "n2")
        run.wait(seconds: 9)
        var long = run
        run.ended("a1", 1)
        long.wait(seconds: 2)
        long.ended("a1", 1)
        for seconds in [1.0, 60] {
            run.wait(seconds: seconds)
            run.add(.reading(true), to: "a1")
        }
        #expect(try run.broken(withCluster: true).isEmpty)
        #expect(try long.broken().isEmpty)
        #expect(try long.broken(withCluster: true) == [.twoConnections])
        #expect(try long.proof(of: .twoConnections, withCluster: true) == ["a1:3", "a1:6", "a1:8"])
    }

    @Test("While Redis is broken, and a while after, a displacement may be late")
    func twoConnectionsWithoutRedis() throws {
        var run = HistoryBuilder("a1")
        run.connected("a1", 1)
        run.cluster(.fault(number: 1, kind: "redis-kill", target: "redis", what: "SIGKILL"))
        run.connected("a1", 2)
        run.cluster(.healed(number: 1))
        run.wait(seconds: 80)
        run.ended("a1", 1)
        #expect(try run.broken().isEmpty)
    }

    // MARK: Presence

    /// Ann's device watches bob, who has answered her.
    private static func watching(isAnswered: Bool = true) -> HistoryBuilder {
        var run = HistoryBuilder("a1", "b1")
        run.connected("a1")
        run.connected("b1", to: "n2")
        run.exchange("r1", body: 1, at: 1)
        if isAnswered { run.exchange("r2", body: 2, at: 2, from: "b1") }
        run.add(.watching(["bob"]), to: "a1")
        return run
    }

    private static func told(_ isOnline: Bool) -> HistoryRecord.Event { .presence(user: "bob", isOnline: isOnline) }

    @Test("Who is online is seen online, and in time")
    func online() throws {
        var run = Self.watching()
        var (wrong, silent) = (run, run)
        run.add(Self.told(true), to: "a1")
        wrong.add(Self.told(false), to: "a1")
        func end(_ run: inout HistoryBuilder) {
            run.wait(seconds: 15)
            run.ended("b1")
            run.ended("a1")
        }
        end(&run)
        end(&wrong)
        end(&silent)
        #expect(try run.broken(withCluster: true).isEmpty)
        #expect(try wrong.broken(withCluster: true) == [.presenceWrong])
        #expect(try wrong.proof(of: .presenceWrong, withCluster: true) == ["b1:3", "a1:10"])
        #expect(try silent.broken(withCluster: true) == [.presenceWrong])
        #expect(try silent.proof(of: .presenceWrong, withCluster: true) == ["b1:3", "a1:9"])
    }

    @Test("Of somebody who has not answered nothing need be said")
    func unanswered() throws {
        var run = Self.watching(isAnswered: false)
        run.wait(seconds: 15)
        run.ended("b1")
        run.ended("a1")
        #expect(try run.broken(withCluster: true).isEmpty)
    }

    @Test("Who was seen online and never left is not seen offline")
    func vanished() throws {
        var run = Self.watching()
        run.add(Self.told(true), to: "a1")
        run.wait(seconds: 30)
        run.add(Self.told(false), to: "a1")
        run.wait(seconds: 1)
        run.add(Self.told(true), to: "a1")
        run.wait(seconds: 1)
        run.ended("b1")
        #expect(try run.broken(withCluster: true) == [.presenceWrong])
    }

    @Test(
        "Who left is seen offline within the bound: sooner where the end was orderly",
        arguments: [(true, 15, true), (true, 30, false), (false, 60, true), (false, 90, false)])
    func offline(isClean: Bool, seconds: Double, isInTime: Bool) throws {
        var run = Self.watching()
        run.add(Self.told(true), to: "a1")
        run.ended("b1", isClean: isClean)
        run.wait(seconds: seconds)
        run.add(Self.told(false), to: "a1")
        run.wait(seconds: 30)
        run.add(.reading(true), to: "a1")
        run.add(.reading(true), to: "b1")
        #expect(try run.broken(withCluster: true) == (isInTime ? [] : [.presenceWrong]))
    }

    @Test("Somebody who comes back at once need not be seen to have left")
    func reconnected() throws {
        var run = Self.watching()
        run.add(Self.told(true), to: "a1")
        for number in 2...20 as ClosedRange<UInt64> {
            run.wait(seconds: 4)
            run.ended("b1", number - 1, isClean: false)
            run.wait(seconds: 2)
            run.connected("b1", number)
        }
        #expect(try run.broken(withCluster: true).isEmpty)
    }

    @Test("While what presence needs is broken, nothing is said of it")
    func presenceDuringFaults() throws {
        var run = Self.watching()
        run.cluster(.fault(number: 1, kind: "pause", target: "n2", what: "SIGSTOP"))
        run.add(Self.told(false), to: "a1")
        run.wait(seconds: 100)
        run.cluster(.healed(number: 1))
        run.wait(seconds: 60)
        var late = run
        run.add(Self.told(true), to: "a1")
        for seconds in [20.0, 20] {
            run.wait(seconds: seconds)
            run.add(.reading(true), to: "b1")
            late.wait(seconds: seconds)
            late.add(.reading(true), to: "b1")
        }
        run.ended("a1")
        late.ended("a1")
        #expect(try run.broken().isEmpty)
        #expect(try late.broken() == [.presenceWrong])
    }

    // MARK: Recovery

    /// A message that waits for bob while something is broken, and for so long afterwards.
    private static func recovering(seconds: Double, fault target: String = "redis") -> HistoryBuilder {
        var run = HistoryBuilder("a1", "b1")
        run.connected("a1")
        run.connected("b1", to: "n2")
        run.cluster(.fault(number: 7, kind: "black-hole", target: target, what: "no bytes"))
        run.invoked("a1", "r1", body: 1)
        run.accepted("a1", "r1", at: 1)
        run.wait(seconds: 100)
        run.cluster(.healed(number: 7))
        run.wait(seconds: seconds)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        run.receipt("a1", of: "bob", delivered: 1)
        return run
    }

    @Test("After what was broken is mended messages come within the bound", arguments: [(29, true), (31, false)])
    func recovery(seconds: Double, isInTime: Bool) throws {
        let run = Self.recovering(seconds: seconds)
        #expect(try run.broken() == (isInTime ? [] : [.recoverySlow]))
        #expect(try run.proof(of: .recoverySlow) == (isInTime ? [] : ["a1:6", "cluster.jsonl:2", "b1:5"]))
    }

    @Test("The end of another node's process is no excuse, a node that hangs is one")
    func noExcuse() throws {
        var run = HistoryBuilder("a1", "b1")
        run.connected("a1")
        run.connected("b1", to: "n2")
        run.cluster(.fault(number: 1, kind: "node", target: "n3", what: "SIGKILL"))
        run.invoked("a1", "r1", body: 1)
        run.wait(seconds: 40)
        run.accepted("a1", "r1", at: 1)
        run.applied("b1", 1, from: "a1", "r1", body: 1)
        run.receipt("a1", of: "bob", delivered: 1)
        run.cluster(.healed(number: 1))
        #expect(try run.broken() == [.recoverySlow])
        #expect(try run.proof(of: .recoverySlow) == ["a1:5", "a1:6"])
    }

    @Test("A device that was not connected, or did not read, is waited for")
    func excused() throws {
        var away = HistoryBuilder("a1", "b1")
        away.connected("a1")
        away.invoked("a1", "r1", body: 1)
        away.accepted("a1", "r1", at: 1)
        var slow = away
        away.wait(seconds: 100)
        away.connected("b1")
        slow.connected("b1")
        slow.add(.reading(false), to: "b1")
        slow.wait(seconds: 100)
        slow.add(.reading(true), to: "b1")
        for var run in [away, slow] {
            run.wait(seconds: 29)
            run.applied("b1", 1, from: "a1", "r1", body: 1)
            run.receipt("a1", of: "bob", delivered: 1)
            #expect(try run.broken(withCluster: true).isEmpty)
        }
    }

    // MARK: Readiness

    @Test("A node whose devices get nothing for long must not look ready all the time")
    func readyButDeaf() throws {
        for looks in [ClusterRecord.Readiness.ready, .degraded, .unready, .unreachable] {
            var run = HistoryBuilder("a1", "b1")
            run.connected("a1")
            run.connected("b1", to: "n2")
            run.cluster(.fault(number: 1, kind: "black-hole", target: "redis", what: "no bytes"))
            run.invoked("a1", "r1", body: 1)
            run.accepted("a1", "r1", at: 1)
            for second in 0..<35 {
                run.wait(seconds: 1)
                run.ready("n1")
                run.ready("n2", second == 20 ? looks : .ready)
            }
            run.cluster(.healed(number: 1))
            run.applied("b1", 1, from: "a1", "r1", body: 1)
            run.receipt("a1", of: "bob", delivered: 1)
            #expect(try run.broken() == (looks == .ready ? [.readyButDeaf] : []))
            if looks == .ready {
                #expect(
                    try run.proof(of: .readyButDeaf) == ["a1:6", "b1:3", "cluster.jsonl:3", "cluster.jsonl:71"])
            }
        }
    }

    // MARK: Resources

    private static func used(_ before: Int, _ after: Int) -> HistoryBuilder {
        var run = HistoryBuilder("a1")
        for (stage, value) in [(ClusterRecord.Stage.baseline, before), (.load, 10 * before), (.settled, after)] {
            run.cluster(.stage(stage))
            let memory = stage == .settled ? 40_000 + 100_000 * (after - before) : 40_000
            let connections = value
            run.cluster(
                .node(
                    .init(
                        node: "n1", readiness: .ready, connections: connections, residentKiB: memory, descriptors: 60)))
            run.cluster(.node(.init(node: "n2", readiness: .ready, connections: 2, residentKiB: memory)))
            run.cluster(.redis(.init(sessions: value, channels: 9)))
        }
        run.cluster(.stage(.end))
        return run
    }

    @Test("Connections, sessions and memory come back to where they were")
    func baseline() throws {
        #expect(try Self.used(5, 5).broken().isEmpty)
        #expect(try Self.used(5, 4).broken().isEmpty)
        let verdict = try Self.used(5, 7).verdict()
        // Connections, sessions, and the memory of two nodes.
        #expect(verdict.counts == [.notBackToBaseline: 4])
        #expect(verdict.examples[.notBackToBaseline]?.evidence.count == 2)
    }

    @Test("A process that does what it was not told to is a breach")
    func misbehaved() throws {
        var run = HistoryBuilder("a1")
        run.cluster(.misbehaved(what: "n2 ended by itself"))
        #expect(try run.broken() == [.misbehaved])
    }

    @Test("A run that sent too little says nothing, by its histories alone", arguments: [(3, false), (2, true)])
    func inconclusive(wanted: Int, isEnough: Bool) throws {
        var run = HistoryBuilder("a1", "b1")
        run.exchange("r1", body: 1, at: 1)
        run.cluster(.run(.init(seed: 1, command: "", wanted: wanted, began: 0)))
        let verdict = try run.verdict()
        #expect(verdict.outcome == (isEnough ? .pass : .inconclusive))
        #expect(verdict.json.contains("only 1 of 3 messages were accepted") == !isEnough)
    }
}
