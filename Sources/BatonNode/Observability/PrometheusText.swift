/// The text that Prometheus reads, in the format 0.0.4 or, where the request asks for it, OpenMetrics 1.0.
package enum PrometheusText: Sendable {
    case prometheus
    case openMetrics

    /// - Parameter accept: the request's header.
    package init(accept: String?) {
        self = accept?.contains("application/openmetrics-text") == true ? .openMetrics : .prometheus
    }

    package var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    package func write(_ metrics: PrometheusMetrics) -> String {
        var text = ""
        for family in metrics.families() where !family.series.isEmpty { write(family, to: &text) }
        if self == .openMetrics { text += "# EOF\n" }
        return text
    }

    private func write(_ family: PrometheusMetrics.Family, to text: inout String) {
        let definition = family.definition
        let name = headline(definition)
        text += "# HELP \(name) \(Self.escaped(definition.help, quotes: false))\n"
        text += "# TYPE \(name) \(definition.kind.typeName)\n"
        let series = family.series.sorted { left, right in
            left.key.lexicographicallyPrecedes(right.key) { ($0.name, $0.value) < ($1.name, $1.value) }
        }
        for (labels, series) in series {
            switch series {
            case .counter(let counter): line(definition.name, labels, "\(counter.value)", to: &text)
            case .gauge(let gauge): line(definition.name, labels, Self.number(gauge.value), to: &text)
            case .observed(let value): line(definition.name, labels, Self.number(value()), to: &text)
            case .histogram(let histogram): write(histogram, of: definition, labels, to: &text)
            }
        }
    }

    private func write(
        _ histogram: HistogramSeries, of definition: MetricDefinition, _ labels: PrometheusMetrics.Labels,
        to text: inout String
    ) {
        let snapshot = histogram.snapshot()
        for (index, count) in snapshot.cumulative.enumerated() {
            let isLast = index == histogram.bounds.count
            let bound = isLast ? "+Inf" : Self.number(definition.kind.shown(histogram.bounds[index]))
            line("\(definition.name)_bucket", labels + [.init(name: "le", value: bound)], "\(count)", to: &text)
        }
        line("\(definition.name)_sum", labels, Self.number(definition.kind.shown(snapshot.sum)), to: &text)
        line("\(definition.name)_count", labels, "\(snapshot.count)", to: &text)
    }

    /// OpenMetrics names a counter's family without its suffix.
    private func headline(_ definition: MetricDefinition) -> String {
        guard self == .openMetrics, definition.kind == .counter, definition.name.hasSuffix("_total") else {
            return definition.name
        }
        return String(definition.name.dropLast("_total".count))
    }

    private func line(_ name: String, _ labels: PrometheusMetrics.Labels, _ value: String, to text: inout String) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return Int(exactly: value).map { String($0) } ?? "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension MetricDefinition.Kind {
    fileprivate var typeName: String {
        switch self {
        case .counter: "counter"
        case .gauge: "gauge"
        case .seconds, .amounts: "histogram"
        }
    }

    /// Durations are recorded in nanoseconds and shown in seconds.
    func shown(_ value: Int) -> Double {
        if case .seconds = self { return Double(value) / 1_000_000_000 }
        return Double(value)
    }
}
