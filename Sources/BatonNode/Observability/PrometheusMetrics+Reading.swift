/// The values as they are now, for readers other than Prometheus.
extension PrometheusMetrics {
    /// All metrics at one moment, by name.
    struct Reading {
        private let families: [String: Family]

        fileprivate init(_ families: [Family]) {
            self.families = Dictionary(families.map { ($0.definition.name, $0) }) { first, _ in first }
        }

        /// The sum over all label sets; of those with this label, where one is given.
        func total(_ definition: MetricDefinition, _ label: (name: String, value: String)? = nil) -> Int64 {
            let series = families[definition.name]?.series ?? [:]
            return series.reduce(into: 0) { sum, entry in
                if let label, !entry.key.contains(where: { $0.name == label.name && $0.value == label.value }) {
                    return
                }
                sum &+= Int64(exactly: entry.value.number.rounded()) ?? 0
            }
        }

        func distribution(_ definition: MetricDefinition) -> Distribution { distribution(definition.name) }

        /// The values of all label sets together; nothing, where there is no such histogram.
        func distribution(_ name: String) -> Distribution {
            var whole = Distribution(bounds: [], counts: [], sum: 0)
            guard let family = families[name] else { return whole }
            let kind = family.definition.kind
            for case .histogram(let histogram) in family.series.values {
                let snapshot = histogram.snapshot()
                whole = whole.merged(
                    with: Distribution(
                        bounds: histogram.bounds.map(kind.shown), counts: snapshot.cumulative,
                        sum: kind.shown(snapshot.sum)))
            }
            return whole
        }

        /// Counters and gauges whose names begin so, with their labels, as a line of `/metrics` has them.
        func samples(of prefix: String) -> [String: Double] {
            var samples: [String: Double] = [:]
            for (name, family) in families where name.hasPrefix(prefix) {
                for (labels, series) in family.series {
                    if case .histogram = series { continue }
                    let pairs = labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",")
                    samples[pairs.isEmpty ? name : "\(name){\(pairs)}"] = series.number
                }
            }
            return samples
        }
    }

    func reading() -> Reading { Reading(families()) }
}

extension PrometheusMetrics.Series {
    /// Zero for a histogram, which is none.
    fileprivate var number: Double {
        switch self {
        case .counter(let counter): Double(counter.value)
        case .gauge(let gauge): gauge.value
        case .observed(let value): value()
        case .histogram: 0
        }
    }
}
