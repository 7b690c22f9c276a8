/// One plot of the timeline: some series over the run's time, on one scale.
struct TimelinePlot: Sendable {
    enum Shape: Sendable {
        case line
        case area
        case bars
    }

    struct Series: Sendable {
        let name: String
        /// Of the style sheet: the line's and the area's colour.
        let color: String
        let shape: Shape
        let values: [Double?]
        /// Of lines that share their colour with an earlier one.
        var isDashed = false
    }

    let title: String
    /// What exactly is counted.
    let note: String
    /// In the order in which they are read.
    let series: [Series]
    let scale: PlotScale
    /// A value as it stands at the axis and in the readout.
    let reading: @Sendable (Double) -> String

    static let height = 96.0

    /// The plot's inside, between `left` and `left + width`, with its top at `top`.
    func svg(left: Double, width: Double, top: Double) -> String {
        var svg = ""
        for tick in scale.ticks {
            let y = top + Self.height * (1 - scale.position(tick))
            svg += Markup.element(
                "line",
                [
                    "x1": Markup.number(left), "x2": Markup.number(left + width), "y1": Markup.number(y),
                    "y2": Markup.number(y), "class": tick == scale.ticks.first ? "base" : "grid",
                ])
            svg += Markup.label(reading(tick), x: left - 8, y: y + 4, "tick end")
        }
        // The first one on top.
        for series in series.reversed() { svg += draw(series, left, width, top) }
        return svg
    }

    private func draw(_ series: Series, _ left: Double, _ width: Double, _ top: Double) -> String {
        let step = width / Double(max(1, series.values.count))
        let base = top + Self.height
        func y(_ value: Double) -> Double { top + Self.height * (1 - scale.position(value)) }
        switch series.shape {
        case .bars:
            var path = ""
            for (index, value) in series.values.enumerated() {
                guard let value, value > 0 else { continue }
                let (x, height) = (left + Double(index) * step, max(1, base - y(value)))
                path += "M\(Markup.number(x)) \(Markup.number(base))v\(Markup.number(-height))"
                path += "h\(Markup.number(max(1, step - 0.5)))v\(Markup.number(height))z"
            }
            return path.isEmpty ? "" : "<path class=\"fill \(series.color)\" d=\"\(path)\"/>"
        case .line, .area:
            var (line, area) = ("", "")
            for run in Self.runs(series.values) {
                let points = run.map { index, value in
                    "\(Markup.number(left + (Double(index) + 0.5) * step)) \(Markup.number(y(value)))"
                }
                // A single point is drawn as a short stroke.
                line += "M" + points.joined(separator: "L") + (points.count == 1 ? "h1" : "")
                guard series.shape == .area, let first = run.first?.index, let last = run.last?.index else { continue }
                let ends = [first, last].map { Markup.number(left + (Double($0) + 0.5) * step) }
                area += "M\(ends[0]) \(Markup.number(base))L" + points.joined(separator: "L")
                area += "L\(ends[1]) \(Markup.number(base))z"
            }
            if line.isEmpty { return "" }
            return (area.isEmpty ? "" : "<path class=\"area \(series.color)\" d=\"\(area)\"/>")
                + "<path class=\"line \(series.color)\(series.isDashed ? " dashed" : "")\" d=\"\(line)\"/>"
        }
    }

    /// Stretches without a missing value.
    private static func runs(_ values: [Double?]) -> [[(index: Int, value: Double)]] {
        var runs: [[(index: Int, value: Double)]] = []
        var isOpen = false
        for (index, value) in values.enumerated() {
            guard let value else {
                isOpen = false
                continue
            }
            if isOpen { runs[runs.count - 1].append((index, value)) } else { runs.append([(index, value)]) }
            isOpen = true
        }
        return runs
    }
}
