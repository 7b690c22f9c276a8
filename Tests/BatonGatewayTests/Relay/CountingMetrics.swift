import CoreMetrics
import Synchronization

/// Counters that a test reads; times are thrown away.
final class CountingMetrics: MetricsFactory {
    private let counts = Mutex<[String: Int64]>([:])

    /// By the name and the values of the labels: `frames_total text`.
    subscript(name: String) -> Int64 { counts.withLock { $0[name] ?? 0 } }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        CountingHandler(metrics: self, name: ([label] + dimensions.map(\.1)).joined(separator: " "))
    }

    fileprivate func add(_ amount: Int64, to name: String) { counts.withLock { $0[name, default: 0] += amount } }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        NOOPMetricsHandler.instance
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

private final class CountingHandler: CounterHandler {
    private let metrics: CountingMetrics
    private let name: String

    init(metrics: CountingMetrics, name: String) {
        self.metrics = metrics
        self.name = name
    }

    func increment(by amount: Int64) { metrics.add(amount, to: name) }
    func reset() {}
}
