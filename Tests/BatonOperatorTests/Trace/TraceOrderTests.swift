import BatonGateway
import Foundation
import Testing

@testable import BatonNode
@testable import BatonOperator

@Suite("The order of what several nodes remember")
struct TraceOrderTests {
    @Test("One clock: by time, and by cause where the times are the same")
    func oneClock() throws {
        let order = TraceOrder([
            [try Self.entry("received", 100), try Self.entry("committed", 190), try Self.entry("accepted", 200)],
            [try Self.entry("written", 200), try Self.entry("acknowledged", 300)],
        ])
        #expect(Self.kinds(order) == ["received", "committed", "accepted", "written", "acknowledged"])
        #expect(order.shifts.isEmpty && order.start == 100)
    }

    @Test("A node whose clock is behind is moved so far that nothing is written before it was accepted")
    func clockBehind() throws {
        let order = TraceOrder([
            [try Self.entry("received", 1_000_100), try Self.entry("accepted", 1_000_200)],
            [try Self.entry("opened", 10), try Self.entry("written", 50), try Self.entry("acknowledged", 90)],
        ])
        #expect(Self.kinds(order) == ["received", "opened", "accepted", "written", "acknowledged"])
        #expect(order.shifts == [1: 1_000_150])
        #expect(order.moments.last?.at == 1_000_240 && order.moments.last?.entry.at == 90)
    }

    @Test("A retry at another node comes after the first outcome; without an acceptance nothing is moved")
    func retry() throws {
        let order = TraceOrder([
            [try Self.entry("accepted", 50, #","reason":"repeat""#)], [try Self.entry("accepted", 80)],
        ])
        #expect(order.moments.map(\.life) == [1, 0])
        let lone = TraceOrder([[], [try Self.entry("written", 5)]])
        #expect(lone.shifts.isEmpty && lone.start == 5)
        #expect(TraceOrder([]).start == 0)
    }

    @Test("Times are shown to the microsecond, and those of no year are not shown")
    func times() {
        #expect(TraceReport.time(1_800_000_000_000_001) == .text("2027-01-15T08:00:00.000001Z"))
        #expect(TraceReport.time(.max) == .none && TraceReport.time(-1) == .none)
        #expect(TraceReport.milliseconds(1_234) == "1.234" && TraceReport.milliseconds(-5) == "-0.005")
    }

    private static func kinds(_ order: TraceOrder) -> [String] { order.moments.map(\.entry.kind.name) }

    private static func entry(_ kind: String, _ at: Int, _ more: String = "") throws -> TraceEntry {
        try JSONDecoder().decode(TraceEntry.self, from: Data(#"{"kind":"\#(kind)","at":\#(at),"loop":0\#(more)}"#.utf8))
    }
}
