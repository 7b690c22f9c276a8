import Testing

@testable import BatonChaos
@testable import BatonHistory

@Suite("How long a fault is felt")
struct RecoveryTimesTests {
    private func milliseconds(_ run: RunBuilder) throws -> [Int: Int] {
        let histories = try run.histories
        let times = RecoveryTimes(histories.devices, faults: histories.cluster?.faults ?? [])
        return times.byNumber.mapValues { Int((Double($0) / 1e6).rounded()) }
    }

    @Test("Not at all, where no message took long")
    func none() throws {
        var run = RunBuilder("a1", "b1")
        run.fault(10, healed: 12)
        for second in 5..<20 {
            run.message(Double(second), accepted: Double(second), applied: ["b1": Double(second) + 0.9])
        }
        #expect(try milliseconds(run) == [1: 0])
    }

    @Test("From the mending until the last message that waited has arrived on the last device")
    func waiting() throws {
        var run = RunBuilder("a1", "b1", "b2")
        run.fault(10, healed: 12)
        run.message(10.5, accepted: 10.6, applied: ["b1": 10.7, "b2": 14.5])
        run.message(11, accepted: 13, applied: ["b1": 13.5, "b2": 13.5])
        #expect(try milliseconds(run) == [1: 2_500])
    }

    @Test("What is sent within a second after the mending counts too, and what is sent later does not")
    func after() throws {
        var run = RunBuilder("a1", "b1")
        run.fault(10, healed: 10)
        run.message(10.8, accepted: 10.8, applied: ["b1": 13])
        run.message(11.2, accepted: 14, applied: ["b1": 16])
        #expect(try milliseconds(run) == [1: 3_000])
    }

    @Test("A message counts for the fault that was mended last before it arrived")
    func overlapping() throws {
        var run = RunBuilder("a1", "b1")
        run.fault(10, healed: 11)
        run.fault(10.5, healed: 13)
        run.fault(13.2, healed: 20)
        run.message(9.8, accepted: 11.2, applied: ["b1": 11.4])
        run.message(10.6, accepted: 13.1, applied: ["b1": 13.5])
        #expect(try milliseconds(run) == [1: 400, 2: 500, 3: 0])
    }

    @Test("What never arrives is lost, not late; a fault that was never mended has no recovery")
    func never() throws {
        var run = RunBuilder("a1", "b1")
        run.fault(10, healed: 11)
        run.fault(20, healed: nil)
        run.message(10.5, accepted: 10.6, applied: [:])
        #expect(try milliseconds(run) == [1: 0])
        let histories = try run.histories
        let times = RecoveryTimes(histories.devices, faults: histories.cluster?.faults ?? [])
        #expect(times.kinds["node"] == .init(faults: 2, p50: 0, max: 0))
    }

    @Test("A device that stops to read of its own accord makes nothing late")
    func pause() throws {
        var run = RunBuilder("a1", "b1", "b2")
        run.fault(10, healed: 11)
        run.add(9, .reading(false), to: "b2")
        run.add(30, .reading(true), to: "b2")
        run.message(10.5, accepted: 10.6, applied: ["b1": 10.7, "b2": 30])
        #expect(try milliseconds(run) == [1: 0])
    }

    @Test("Histories with any numbers in them are reckoned with, and do not trap")
    func extremes() throws {
        for at in [Int64.min, -1, 0, .max] {
            let record = ClusterRecord(at: at, .fault(number: 1, kind: "k", target: "t", what: "w"))
            let device = try DeviceHistory(
                name: "b1",
                records: [
                    HistoryRecord(at: at, .device(user: "bob", device: "b1")),
                    HistoryRecord(at: .max, .reading(false)), HistoryRecord(at: .min, .reading(true)),
                    HistoryRecord(at: at, .connection(.init(1, .live))),
                ])
            let histories = RunHistories(
                devices: [device],
                cluster: ClusterHistory(records: [record, ClusterRecord(at: at, .healed(number: 1))]))
            let report = ChaosReport(histories, HistoryChecker.check(histories.devices))
            #expect(ReportPage(report).html.hasSuffix("</html>\n"))
        }
    }
}
