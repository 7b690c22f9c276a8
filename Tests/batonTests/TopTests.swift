import Testing

@testable import BatonNode
@testable import baton

@Suite("The cluster in a terminal")
struct TopTests {
    @Test("Before anybody answered, it says so")
    func nothingYet() {
        #expect(text(TopModel()) == ["no node has answered yet"])
    }

    @Test("Rates come from two looks, by each node's own clock")
    func rates() throws {
        var model = TopModel()
        model.saw(look(1_000, ["n1": status("n1", accepted: 100, at: 5_000)]))
        #expect(model.rate(\.accepted) == nil)
        model.saw(look(2_500, ["n1": status("n1", accepted: 400, at: 6_500)]))
        #expect(model.rate(\.accepted) == 200)
        #expect(model.whole(\.commit).count == 300)
        // The same answer again changes nothing.
        model.saw(look(2_500, ["n1": status("n1", accepted: 400, at: 6_500)]))
        #expect(model.looks.count == 2)
    }

    @Test("So many looks are kept")
    func looksKept() {
        var model = TopModel()
        for number in 0...Int64(TopModel.looksKept) {
            model.saw(look(number, ["n1": status("n1", accepted: 1, at: number)]))
        }
        #expect(model.looks.map(\.at) == Array(1...Int64(TopModel.looksKept)))
    }

    @Test("A node that was started anew has no rate until it was seen twice")
    func restart() {
        var model = TopModel()
        model.saw(look(1_000, ["n1": status("n1", accepted: 100, at: 5_000)]))
        var fresh = status("n1", accepted: 3, at: 6_000)
        fresh.incarnation = "2"
        fresh.hints.missed = 7
        model.saw(look(2_000, ["n1": fresh]))
        #expect(model.rate(\.accepted) == nil)
        #expect(model.missedLately == 0)
    }

    @Test("A dead node is in the table with the reason; one without a lease is gone")
    func deadNode() throws {
        var model = TopModel()
        model.saw(look(1_000, ["n1": status("n1", accepted: 1, at: 1), "n2": status("n2", accepted: 1, at: 1)]))
        model.saw(look(2_000, ["n1": status("n1", accepted: 2, at: 1_001), "n2": nil]))
        #expect(text(model).contains { $0.hasPrefix("n2    does not answer") })
        #expect(text(model)[0].contains("1 of 2 nodes"))
        model.saw(look(3_000, ["n1": status("n1", accepted: 2, at: 2_001)]))
        #expect(text(model).contains("n2    gone"))
        #expect(model.problems.map(\.text) == ["is gone: its lease ended"] && text(model)[0].contains("look"))
        model.saw(look(2_000 + TopModel.goneMilliseconds, ["n1": status("n1", accepted: 2, at: 3_001)]))
        #expect(!text(model).contains { $0.contains("gone") })
    }

    @Test("A node that left in order is gone, and nothing is wrong")
    func leftNode() {
        var model = TopModel()
        model.saw(look(1_000, ["n1": status("n1", accepted: 1, at: 1), "n2": status("n2", accepted: 1, at: 1)]))
        model.saw(look(2_000, ["n1": status("n1", accepted: 2, at: 1_001)]))
        #expect(text(model).contains("n2    gone") && model.problems.isEmpty)
    }

    @Test("Each title says by itself of what it is: in a narrow terminal its neighbour may be missing")
    func titles() { #expect(Set(TopColumn.all.map(\.title)).count == TopColumn.all.count) }

    @Test("Hints missed lately are told of as long as they are among the last looks")
    func missed() {
        var model = TopModel()
        for number in 0...TopModel.missedKept + 1 {
            var status = status("n1", accepted: 1, at: Int64(number))
            status.hints.missed = number == 0 ? 0 : 5
            model.saw(look(Int64(number), ["n1": status]))
            #expect(model.missedLately == ((1...TopModel.missedKept).contains(number) ? 5 : 0))
        }
        #expect(model.problems.isEmpty)
    }

    @Test(
        "No line is wider than the terminal; what matters least is left out first", arguments: [20, 40, 80, 120, 220])
    func widths(_ columns: Int) {
        var model = TopModel()
        for number in 1...3 {
            model.saw(
                look(
                    Int64(number) * 1_000,
                    ["n1": status("n1", accepted: Int64(number) * 100, at: Int64(number) * 1_000), "n2": nil]))
        }
        var view = TopView(columns: columns)
        for sort in TopColumn.all.indices {
            view.sort = sort
            for line in view.lines(model) { #expect(line.width <= columns, "\(line.text)") }
        }
        let header = view.lines(model).map(\.text).first { $0.hasPrefix("NODE") }
        #expect(header?.contains("STATE") == true)
        #expect((header?.contains("FILES") == true) == (columns == 220))
        #expect(header?.contains("CONNS") == true)
    }

    @Test("Numbers sort the greatest first, and the other way round where asked; silent nodes come last")
    func sorting() throws {
        var model = TopModel()
        var (one, two) = (status("a", accepted: 1, at: 1), status("b", accepted: 1, at: 1))
        one.connections.open = 3
        two.connections.open = 30
        model.saw(look(1, ["a": one, "b": two, "c": nil]))
        var view = TopView(columns: 120)
        view.sort = try #require(TopColumn.all.firstIndex { $0.title == "CONNS" })
        func names() -> [String] {
            view.table(model).dropFirst().map { String($0.text.prefix(1)) }
        }
        #expect(names() == ["b", "a", "c"])
        view.isReversed = true
        #expect(names() == ["a", "b", "c"])
    }

    @Test("Nothing that a node says moves the cursor")
    func harmless() {
        var model = TopModel()
        var status = status("n1", accepted: 1, at: 1)
        status.reasons = ["\u{1b}[2Jx"]
        status.ready = false
        model.saw(look(1, ["n1": status]))
        #expect(!text(model).joined().contains("\u{1b}"))
    }

    @Test(
        "Numbers fit their columns",
        arguments: [
            (TopNumber.count(nil), "-"), (TopNumber.count(0), "0"), (TopNumber.count(2.34), "2.3"),
            (TopNumber.count(999), "999"), (TopNumber.count(12_345), "12.3k"), (TopNumber.count(3_400_000), "3.4M"),
            (TopNumber.seconds(nil), "-"), (TopNumber.seconds(0.000_12), "120us"), (TopNumber.seconds(0.0012), "1.2ms"),
            (TopNumber.seconds(0.25), "250ms"), (TopNumber.seconds(2.5), "2.5s"), (TopNumber.bytes(512), "512B"),
            (TopNumber.bytes(1_536), "1.5K"), (TopNumber.bytes(64_618_344_448), "60.2G"),
            (TopNumber.share(0.123), "12%"),
            (TopNumber.time(59), "59s"), (TopNumber.time(61), "1m1s"), (TopNumber.time(90_000), "1d1h"),
            (TopNumber.count(.nan), "-"),
        ])
    func numbers(_ shown: String, _ expected: String) {
        #expect(shown == expected)
    }

    private func text(_ model: TopModel) -> [String] { TopView(columns: 120).lines(model).map(\.text) }

    private func look(_ at: Int64, _ nodes: [String: NodeStatus?]) -> ClusterStatus { Self.look(at, nodes) }

    static func look(_ at: Int64, _ nodes: [String: NodeStatus?], answeredBy: String = "n1") -> ClusterStatus {
        ClusterStatus(
            answeredBy: answeredBy, at: at, registryReachable: true,
            nodes: nodes.sorted { $0.key < $1.key }.map { name, status in
                ClusterStatus.Node(
                    node: name, address: "127.0.0.1:1", lease: "up", status: status,
                    problem: status == nil ? "does not answer" : nil)
            },
            redis: ClusterStatus.RedisServer(
                version: "7", uptimeSeconds: 1, usedBytes: 1, maximumBytes: 0, clients: 1, commandsPerSecond: 1,
                evictedKeys: 0, answerSeconds: 0.001),
            store: ClusterStatus.SharedStore(
                backlog: 0, backlogIsBound: false, fileBytes: 1, walBytes: 1, freeBytes: 50, diskBytes: 100))
    }

    private func status(_ name: String, accepted: Int64, at milliseconds: Int64) -> NodeStatus {
        Self.status(name, accepted: accepted, at: milliseconds)
    }

    static func status(_ name: String, accepted: Int64, at milliseconds: Int64) -> NodeStatus {
        let spread = Distribution(bounds: [0.001, 0.002], counts: [0, Int(accepted), Int(accepted)], sum: 0.1)
        return NodeStatus(
            node: name, incarnation: "1", version: "0", pid: 1, ready: true, degraded: false, reasons: [],
            monotonicMilliseconds: milliseconds, uptimeSeconds: 1,
            connections: .init(open: 7, limit: 100, opened: 9, closed: 2, refused: 0),
            messages: .init(
                accepted: accepted, repeated: 0, rejected: 0, deliveredByHint: accepted, deliveredByDrain: 0,
                acknowledged: accepted, unacknowledged: 0, accept: spread),
            hints: .init(
                published: 0, received: 0, missed: 0, gaps: 0, stale: 0, publishErrors: 0, drains: 0, drainsFailed: 0,
                windowFull: 0), slowReaders: .init(count: 0, slowest: []),
            store: .init(
                failure: nil, errors: 0, queued: 0, queueLimit: 16, walPages: 5, commit: spread, batch: spread,
                turnstile: spread),
            redis: .init(loops: 2, connected: 2, reconnects: 0, errors: 0, probe: spread),
            process: .init(
                residentBytes: 1, cpuSeconds: 1, descriptors: 20, descriptorLimit: 1_024, loopLag: spread),
            canary: .init(samples: [:], seconds: spread))
    }
}
