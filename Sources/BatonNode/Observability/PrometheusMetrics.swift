package import CoreMetrics
import Synchronization

/// The backend of swift-metrics: keeps all series of a node and writes them as Prometheus text.
///
/// Making a series takes a lock, using one does not: a caller makes its counters once and keeps them. The number of label
/// sets is bounded; the excess is counted under the label value `other`, so that sums stay right and memory does not
/// grow with what clients do.
package final class PrometheusMetrics: MetricsFactory {
    /// Label sets of one metric.
    static let maximumSeriesPerMetric = 64
    /// Metrics whose names are not in `MetricNames`, of libraries for example.
    static let maximumForeignMetrics = 64

    /// Label names and values, sorted by name.
    typealias Labels = [Label]

    struct Label: Hashable, Sendable {
        var name: String
        var value: String
    }

    enum Series: Sendable {
        case counter(CounterSeries)
        case gauge(GaugeSeries)
        case histogram(HistogramSeries)
        /// Asked when the metrics are read.
        case observed(@Sendable () -> Double)
    }

    struct Family: Sendable {
        var definition: MetricDefinition
        var series: [Labels: Series] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var foreign = 0
    }

    private let state: Mutex<State>
    private let refused = CounterSeries()

    package init() {
        var families: [String: Family] = [:]
        for definition in MetricNames.all { families[definition.name] = Family(definition: definition) }
        let name = MetricNames.seriesRefused.name
        families[name]?.series[[]] = .counter(refused)
        state = Mutex(State(families: families))
    }

    /// A gauge or counter whose value is asked for when the metrics are read. The closure runs on the reader's thread.
    package func observe(
        _ definition: MetricDefinition, labels: [(String, String)] = [], value: @escaping @Sendable () -> Double
    ) {
        let labels = Self.labels(labels)
        state.withLock { state in
            state.families[definition.name, default: Family(definition: definition)].series[labels] = .observed(value)
        }
    }

    /// All series there are, by name.
    func families() -> [Family] {
        state.withLock { Array($0.families.values) }.sorted { $0.definition.name < $1.definition.name }
    }

    // MARK: Making series

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        let series = series(label, suffix: "_total", .counter, dimensions) { _ in .counter(CounterSeries()) }
        if case .counter(let counter) = series { return counter }
        return NOOPMetricsHandler.instance
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        let series = series(label, suffix: "_total", .counter, dimensions) { _ in .gauge(GaugeSeries()) }
        if case .gauge(let counter) = series { return counter }
        return NOOPMetricsHandler.instance
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        let series = series(label, suffix: "", .gauge, dimensions) { _ in .gauge(GaugeSeries()) }
        if case .gauge(let gauge) = series { return gauge }
        return NOOPMetricsHandler.instance
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            let series = series(label, suffix: "", .amounts(MetricBuckets.batch), dimensions, make: Self.histogram)
            if case .histogram(let histogram) = series { return histogram }
        } else {
            let series = series(label, suffix: "", .gauge, dimensions) { _ in .gauge(GaugeSeries()) }
            if case .gauge(let gauge) = series { return gauge }
        }
        return NOOPMetricsHandler.instance
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let kind = MetricDefinition.Kind.seconds(MetricBuckets.latency)
        let series = series(label, suffix: "_seconds", kind, dimensions, make: Self.histogram)
        if case .histogram(let histogram) = series { return histogram }
        return NOOPMetricsHandler.instance
    }

    private static func histogram(_ definition: MetricDefinition) -> Series {
        switch definition.kind {
        case .seconds(let bounds), .amounts(let bounds): .histogram(HistogramSeries(bounds: bounds))
        case .counter, .gauge: .histogram(HistogramSeries(bounds: []))
        }
    }

    /// The series of this name and these labels: the one there is, a new one, the one for `other`, or nil where the
    /// name stands for a metric of another type.
    private func series(
        _ label: String, suffix: String, _ kind: MetricDefinition.Kind, _ dimensions: [(String, String)],
        make: (MetricDefinition) -> Series
    ) -> Series? {
        let name = Self.name(label, suffix: suffix)
        var labels = Self.labels(dimensions)
        return state.withLock { state in
            if state.families[name] == nil {
                guard state.foreign < Self.maximumForeignMetrics else { return refuse() }
                state.foreign += 1
                state.families[name] = Family(definition: MetricDefinition(name, kind, "Of a library."))
            }
            guard var family = state.families[name], family.definition.kind.isSameType(as: kind) else {
                return refuse()
            }
            if family.series[labels] == nil, family.series.count >= Self.maximumSeriesPerMetric {
                refused.increment(by: 1)
                labels = labels.map { Label(name: $0.name, value: "other") }
            }
            if let series = family.series[labels] { return series }
            let series = make(family.definition)
            family.series[labels] = series
            state.families[name] = family
            return series
        }
    }

    private func refuse() -> Series? {
        refused.increment(by: 1)
        return nil
    }

    // MARK: Dropping series

    package func destroyCounter(_ handler: any CounterHandler) { drop(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { drop(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { drop(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { drop(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { drop(handler) }

    private func drop(_ handler: AnyObject) {
        state.withLock { state in
            for (name, family) in state.families {
                guard let found = family.series.first(where: { $0.value.object === handler }) else { continue }
                state.families[name]?.series[found.key] = nil
                return
            }
        }
    }

    // MARK: Names

    private static func labels(_ dimensions: [(String, String)]) -> Labels {
        dimensions.map { Label(name: name($0.0, suffix: ""), value: $0.1) }.sorted { $0.name < $1.name }
    }

    /// A name that Prometheus takes: letters, digits and underscores, ending in the suffix.
    private static func name(_ label: String, suffix: String) -> String {
        var name = String(
            label.map { character in
                character.isASCII && (character.isLetter || character.isNumber) ? character : "_"
            })
        if name.first.map(\.isNumber) ?? true { name = "_" + name }
        return name.hasSuffix(suffix) ? name : name + suffix
    }
}

extension PrometheusMetrics.Series {
    fileprivate var object: AnyObject? {
        switch self {
        case .counter(let counter): counter
        case .gauge(let gauge): gauge
        case .histogram(let histogram): histogram
        case .observed: nil
        }
    }
}

extension MetricDefinition.Kind {
    fileprivate func isSameType(as other: Self) -> Bool {
        switch (self, other) {
        case (.counter, .counter), (.gauge, .gauge), (.seconds, .seconds), (.amounts, .amounts): true
        default: false
        }
    }
}
