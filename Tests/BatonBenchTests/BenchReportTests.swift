import Foundation
import Histogram
import Testing

@testable import BatonBench

/// Programs read the last line of `baton bench`: its keys are promised.
@Suite("The report of `baton bench`")
struct BenchReportTests {
    private static func object(_ report: BenchReport) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: try JSONEncoder().encode(report)) as? [String: Any])
    }

    /// A report with everything that any workload measures.
    private static func full() -> BenchReport {
        var report = BenchReport(workload: "all", pairs: 3)
        report.acceptedPerS = 1
        report.deliveredPerS = 2
        report.cpuUsPerDelivered = 3
        report.cpuUsByProcess = ["node-1": 4]
        report.clientCpuUsPerDelivered = 5
        report.connections = 6
        report.nodeKibPerConnection = 7
        report.redisKibPerConnection = 8
        report.heartbeatsAnswered = 9
        report.storedPerS = 10
        report.drainedPerS = 11
        return report
    }

    @Test(
        "A full report has each promised number under its name",
        arguments: [
            "accepted_per_s", "delivered_per_s", "cpu_us_per_delivered", "lost", "duplicated", "reordered",
            "node_kib_per_connection", "redis_kib_per_connection", "stored_per_s", "drained_per_s",
        ])
    func numbers(name: String) throws {
        #expect(try Self.object(Self.full())[name] is NSNumber)
    }

    @Test("The CPU of each process is under the process's name")
    func processes() throws {
        let processes = try Self.object(Self.full())["cpu_us_by_process"] as? [String: Double]
        #expect(processes == ["node-1": 4])
    }

    @Test("Latencies are milliseconds at three percentiles", arguments: ["accept_ms", "end_to_end_ms"])
    func latencies(name: String) throws {
        var histogram = Histogram<UInt64>(highestTrackableValue: 10_000_000_000, numberOfSignificantValueDigits: .three)
        for milliseconds in UInt64(1)...1_000 { histogram.record(milliseconds * 1_000_000) }
        var report = Self.full()
        report.acceptMs = BenchReport.Latency(histogram)
        report.endToEndMs = BenchReport.Latency(histogram)
        let latency = try #require(try Self.object(report)[name] as? [String: Double])
        for (percentile, value) in ["p50": 500.0, "p99": 990, "p999": 999] {
            let measured = try #require(latency[percentile])
            #expect(abs(measured - value) < value / 100, "\(percentile) is \(measured)")
        }
    }
}
