import Testing

@testable import BatonChaos
@testable import BatonHistory

@Suite("The report of an outage")
struct OutageReportTests {
    private func report(_ back: [Duration], of clients: Int = 200) -> OutageReport {
        OutageReport(nodes: 3, clients: clients, back: back, down: .seconds(61), attempts: 900, within: .seconds(6))
    }

    @Test("It passes where 99 of 100 clients were back within the bound, however late the last one was")
    func passes() {
        let back = Array(repeating: Duration.seconds(6), count: 198) + [.seconds(40), .seconds(50)]
        let report = report(back)
        #expect(report.verdict == .pass)
        #expect(report.backMs.map { [$0.p50, $0.p99, $0.max] } == [6_000, 6_000, 50_000])
        #expect(report.text.hasSuffix("PASS: 99 of 100 clients were back within 6 s of the nodes"))
    }

    @Test("It fails where one more was late, and where one did not come back")
    func fails() {
        let late = report(Array(repeating: .seconds(1), count: 197) + Array(repeating: .milliseconds(6_001), count: 3))
        #expect(late.verdict == .fail)
        #expect(late.text.hasSuffix("FAIL: 99 of 100 clients were not back within 6 s of the nodes"))
        let missing = report(Array(repeating: .seconds(1), count: 199))
        #expect(missing.verdict == .fail)
        #expect(missing.backMs == nil)
        #expect(missing.text.hasSuffix("FAIL: not all clients came back"))
    }

    @Test("Who was back before all nodes were ready did not wait")
    func early() {
        let report = report(Array(repeating: .seconds(-3), count: 200))
        #expect(report.backMs.map { [$0.p50, $0.max] } == [0, 0])
        #expect(report.json.contains(#""down_seconds":61"#))
    }
}
