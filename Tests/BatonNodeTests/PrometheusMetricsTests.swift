import BatonGateway
import Metrics
import Testing

@testable import BatonNode

@Suite("Metrics as Prometheus reads them")
struct PrometheusMetricsTests {
    let metrics = PrometheusMetrics()

    @Test("A counter has help, type and a line for each label set")
    func counters() {
        let relay = RelayMetrics(factory: metrics)
        relay.accepted.increment(by: 3)
        relay.rejected("rate_limited")
        let text = PrometheusText.prometheus.write(metrics)
        #expect(text.contains("# HELP baton_messages_accepted_total Messages stored and answered `accepted`.\n"))
        #expect(text.contains("# TYPE baton_messages_accepted_total counter\nbaton_messages_accepted_total 3\n"))
        #expect(text.contains("baton_messages_rejected_total{code=\"rate_limited\"} 1\n"))
        #expect(text.contains("baton_messages_rejected_total{code=\"blocked\"} 0\n"))
        #expect(text.hasSuffix("\n"))
    }

    @Test("A duration falls into the first bucket that is not below it, and is shown in seconds")
    func histograms() {
        let timer = Timer(label: MetricNames.commitSeconds.name, dimensions: [], factory: metrics)
        for nanoseconds: Int64 in [1, 100_000, 100_001, 60_000_000_000] { timer.recordNanoseconds(nanoseconds) }
        let text = PrometheusText.prometheus.write(metrics)
        #expect(text.contains("# TYPE baton_store_commit_seconds histogram\n"))
        #expect(text.contains("baton_store_commit_seconds_bucket{le=\"0.0001\"} 2\n"))
        #expect(text.contains("baton_store_commit_seconds_bucket{le=\"0.00025\"} 3\n"))
        #expect(text.contains("baton_store_commit_seconds_bucket{le=\"30\"} 3\n"))
        #expect(text.contains("baton_store_commit_seconds_bucket{le=\"+Inf\"} 4\n"))
        #expect(text.contains("baton_store_commit_seconds_sum 60.000200002\n"))
        #expect(text.contains("baton_store_commit_seconds_count 4\n"))
    }

    @Test("Batch sizes are shown as they are")
    func amounts() {
        let recorder = Recorder(
            label: MetricNames.batchOperations.name, dimensions: [], aggregate: true, factory: metrics)
        recorder.record(5)
        recorder.record(512)
        recorder.record(Double.infinity)
        recorder.record(Double.nan)
        let text = PrometheusText.prometheus.write(metrics)
        #expect(text.contains("baton_store_batch_operations_bucket{le=\"4\"} 1\n"))
        #expect(text.contains("baton_store_batch_operations_bucket{le=\"8\"} 2\n"))
        #expect(text.contains("baton_store_batch_operations_bucket{le=\"512\"} 3\n"))
        #expect(text.contains("baton_store_batch_operations_count 4\n"))
    }

    @Test("Gauges go up and down, and may be asked for when they are read")
    func gauges() {
        let meter = Meter(label: "baton_store_queued_operations", dimensions: [], factory: metrics)
        meter.set(7)
        meter.increment(by: 0.5)
        meter.decrement(by: 2)
        metrics.observe(MetricNames.connections) { 41 }
        let text = PrometheusText.prometheus.write(metrics)
        #expect(text.contains("# TYPE baton_store_queued_operations gauge\nbaton_store_queued_operations 5.5\n"))
        #expect(text.contains("baton_connections 41\n"))
    }

    @Test("Label sets beyond the bound are counted together under `other`")
    func boundedLabels() {
        let bound = PrometheusMetrics.maximumSeriesPerMetric
        let name = MetricNames.handshakesRefused.name
        for number in 0..<(bound + 10) {
            Counter(label: name, dimensions: [("reason", "r\(number)")], factory: metrics).increment()
        }
        let lines = PrometheusText.prometheus.write(metrics).split(separator: "\n")
        let series = lines.filter { $0.hasPrefix(name + "{") }
        #expect(series.count == bound + 1)
        #expect(series.contains("\(name){reason=\"r\(bound - 1)\"} 1"))
        #expect(series.contains("\(name){reason=\"other\"} 10"))
        #expect(lines.contains("baton_metric_series_refused_total 10"))
    }

    @Test("Metrics of libraries are bounded too, and get names that Prometheus takes")
    func foreignMetrics() {
        for number in 0..<(PrometheusMetrics.maximumForeignMetrics + 5) {
            Counter(label: "http.requests-\(number)", dimensions: [("päth", "a\"b\\c\nd")], factory: metrics)
                .increment()
        }
        let text = PrometheusText.prometheus.write(metrics)
        #expect(text.contains("http_requests_0_total{p_th=\"a\\\"b\\\\c\\nd\"} 1\n"))
        #expect(text.contains("http_requests_\(PrometheusMetrics.maximumForeignMetrics - 1)_total"))
        #expect(!text.contains("http_requests_\(PrometheusMetrics.maximumForeignMetrics)_total"))
        #expect(text.contains("baton_metric_series_refused_total 5\n"))
    }

    @Test("A name that stands for another type counts nothing rather than something wrong")
    func conflictingTypes() {
        Counter(label: MetricNames.commitSeconds.name, dimensions: [], factory: metrics).increment()
        Timer(label: "baton_messages_accepted_total", dimensions: [], factory: metrics).recordNanoseconds(1)
        Meter(label: MetricNames.commitSeconds.name, dimensions: [], factory: metrics).set(1)
        #expect(PrometheusText.prometheus.write(metrics).contains("baton_metric_series_refused_total 1\n"))
    }

    @Test("A destroyed series is forgotten")
    func destroyed() {
        let counter = Counter(label: "gone", dimensions: [], factory: metrics)
        counter.increment()
        #expect(PrometheusText.prometheus.write(metrics).contains("gone_total 1\n"))
        counter.destroy()
        #expect(!PrometheusText.prometheus.write(metrics).contains("gone_total 1"))
    }

    @Test("Nothing is lost when many threads count at once")
    func concurrency() async {
        let relay = RelayMetrics(factory: metrics)
        let node = NodeMetrics(factory: metrics)
        let meter = GaugeSeries()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<5_000 {
                        relay.accepted.increment()
                        node.commit.recordNanoseconds(200_000)
                        meter.increment(by: 1)
                    }
                }
            }
        }
        let text = PrometheusText.prometheus.write(metrics)
        #expect(text.contains("baton_messages_accepted_total 40000\n"))
        #expect(text.contains("baton_store_commit_seconds_count 40000\n"))
        #expect(meter.value == 40_000)
    }

    @Test("OpenMetrics is written for who accepts it: counters without suffix in the headline, and an end")
    func openMetrics() {
        RelayMetrics(factory: metrics).accepted.increment()
        let format = PrometheusText(accept: "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        #expect(format == .openMetrics)
        let text = format.write(metrics)
        #expect(text.contains("# TYPE baton_messages_accepted counter\nbaton_messages_accepted_total 1\n"))
        #expect(text.hasSuffix("# EOF\n"))
        #expect(PrometheusText(accept: "*/*") == .prometheus)
        #expect(PrometheusText(accept: nil) == .prometheus)
    }

    @Test("Every name is one that Prometheus takes, used once, with ascending buckets that fit")
    func catalogue() {
        let all = MetricNames.all
        #expect(Set(all.map(\.name)).count == all.count)
        for definition in all {
            #expect(definition.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
            #expect((definition.kind == .counter) == definition.name.hasSuffix("_total"), "\(definition.name)")
            if case .seconds(let bounds) = definition.kind {
                #expect(definition.name.hasSuffix("_seconds"))
                #expect(bounds == bounds.sorted() && bounds.count <= HistogramSeries.maximumBuckets)
            }
        }
    }

    @Test("More bounds than fit are left out, and every value is still counted")
    func tooManyBounds() {
        let histogram = HistogramSeries(bounds: Array(1...100))
        #expect(histogram.bounds.count == HistogramSeries.maximumBuckets)
        for value: Int64 in [0, 24, 25, 1_000] { histogram.record(value) }
        #expect(histogram.snapshot().count == 4)
        #expect(histogram.snapshot().cumulative[23] == 2)
    }

    @Test("The process' own metrics are those of a living process")
    func processMetrics() throws {
        ProcessMetrics.observe(with: metrics)
        let text = PrometheusText.prometheus.write(metrics)
        for name in [
            "process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds", "process_max_fds",
            "process_start_time_seconds",
        ] {
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + " ") })
            #expect(try #require(Double(line.dropFirst(name.count + 1))) > 0, "\(line)")
        }
    }
}
