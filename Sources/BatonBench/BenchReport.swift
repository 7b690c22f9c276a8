package import Histogram

/// What was measured; the last line of `baton bench` is its JSON.
package struct BenchReport: Encodable, Sendable {
    package struct Latency: Encodable, Sendable {
        package var p50 = 0.0
        package var p99 = 0.0
        package var p999 = 0.0
        package var max = 0.0

        package init() {}

        /// In milliseconds, of nanoseconds.
        package init(_ histogram: Histogram<UInt64>) {
            guard histogram.totalCount > 0 else { return }
            p50 = Double(histogram.valueAtPercentile(50)) / 1e6
            p99 = Double(histogram.valueAtPercentile(99)) / 1e6
            p999 = Double(histogram.valueAtPercentile(99.9)) / 1e6
            max = Double(histogram.max) / 1e6
        }
    }

    package var workload: String
    package var pairs: Int
    package var seconds = 0.0
    package var accepted = 0
    package var delivered = 0
    package var rejected = 0
    package var receipts = 0
    package var disconnected = 0
    package var acceptedPerS = 0.0
    package var deliveredPerS = 0.0
    /// All watched processes; 0 where none could be watched, or nothing was delivered.
    package var cpuUsPerDelivered = 0.0
    package var cpuUsByProcess: [String: Double] = [:]
    package var clientCpuUsPerDelivered = 0.0
    package var acceptMs = Latency()
    package var endToEndMs = Latency()
    /// Accepted, and not delivered when the drain period was over.
    package var lost = 0
    package var duplicated = 0
    package var reordered = 0
    package var connections: Int?
    package var nodeKibPerConnection: Double?
    package var redisKibPerConnection: Double?
    package var heartbeatsAnswered: Int?
    package var storedPerS: Double?
    package var drainedPerS: Double?

    private enum CodingKeys: String, CodingKey {
        case workload, pairs, seconds, accepted, delivered, rejected, receipts, disconnected
        case acceptedPerS = "accepted_per_s"
        case deliveredPerS = "delivered_per_s"
        case cpuUsPerDelivered = "cpu_us_per_delivered"
        case cpuUsByProcess = "cpu_us_by_process"
        case clientCpuUsPerDelivered = "client_cpu_us_per_delivered"
        case acceptMs = "accept_ms"
        case endToEndMs = "end_to_end_ms"
        case lost, duplicated, reordered, connections
        case nodeKibPerConnection = "node_kib_per_connection"
        case redisKibPerConnection = "redis_kib_per_connection"
        case heartbeatsAnswered = "heartbeats_answered"
        case storedPerS = "stored_per_s"
        case drainedPerS = "drained_per_s"
    }

    init(workload: String, pairs: Int) {
        self.workload = workload
        self.pairs = pairs
    }

    /// Nothing accepted was lost, doubled or out of order, and no connection was closed by a node.
    package var isClean: Bool { lost == 0 && duplicated == 0 && reordered == 0 && disconnected == 0 }
}
