/// What one metric is: its Prometheus name, its type and a sentence for operators.
package struct MetricDefinition: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// Only grows. Its name ends in `_total`.
        case counter
        case gauge
        /// A distribution of durations, recorded in nanoseconds, shown in seconds.
        case seconds([Int])
        /// A distribution of counts or bytes.
        case amounts([Int])
    }

    package let name: String
    package let kind: Kind
    package let help: String

    init(_ name: String, _ kind: Kind, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }
}

/// The buckets of the histograms: upper bounds, ascending, at most `HistogramSeries.maximumBuckets`.
enum MetricBuckets {
    /// 100 microseconds to 30 seconds, as nanoseconds.
    static let latency: [Int] = [
        100_000, 250_000, 500_000, 1_000_000, 1_500_000, 2_500_000, 5_000_000, 7_500_000, 10_000_000, 25_000_000,
        50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
        10_000_000_000, 30_000_000_000,
    ]
    /// One to 512, the largest batch.
    static let batch: [Int] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]
}
