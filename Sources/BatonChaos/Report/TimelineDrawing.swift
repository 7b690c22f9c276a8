import BatonHistory

/// The timeline: faults over plots and strips, all on the same axis of time, as one SVG.
struct TimelineDrawing: Sendable {
    let series: RunSeries
    let faults: [FaultSpan]
    let recovery: RecoveryTimes
    let stages: [(stage: ClusterRecord.Stage, at: Int64)]

    static let width = 1_200.0
    static let left = 112.0
    static let right = 1_186.0
    private static let laneHeight = 17.0
    private static let stripHeight = 15.0
    private static let titleHeight = 38.0

    var plots: [TimelinePlot] { series.flowPlots + series.resourcePlots }

    func x(_ moment: Int64) -> Double {
        let part = Double(moment - series.grid.start) / Double(series.grid.end - series.grid.start)
        return Self.left + min(max(part, 0), 1) * (Self.right - Self.left)
    }

    var svg: String {
        var body = ""
        var y = 22.0
        let bandsFrom = y
        y = drawFaults(from: y + 6, &body)
        for plot in series.flowPlots { y = draw(plot, from: y, &body) }
        y = drawStrips(from: y, &body)
        for plot in series.resourcePlots { y = draw(plot, from: y, &body) }
        let bottom = y + 4
        let height = bottom + 22
        return """
            <svg id="timeline" class="timeline" viewBox="0 0 \(Markup.number(Self.width)) \(Markup.number(height))" \
            role="img" aria-label="Faults, throughput, latency, backlog, connections and resources over time">
            <defs><pattern id="tail" width="5" height="5" patternUnits="userSpaceOnUse" \
            patternTransform="rotate(45)"><rect class="tail" width="2" height="5"/></pattern></defs>
            \(bands(from: bandsFrom, to: bottom))\(axis(top: bandsFrom, bottom: bottom))\(body)
            <line id="cross" class="cross" y1="\(Markup.number(bandsFrom))" y2="\(Markup.number(bottom))"/>
            </svg>
            """
    }

    // MARK: Faults

    private func drawFaults(from start: Double, _ body: inout String) -> Double {
        var y = title("Faults", "by target; solid while broken, hatched until recovered", from: start, &body)
        let lanes = FaultLanes(faults, recovery, right: Self.right, x: x, line: describe)
        if lanes.targets.isEmpty {
            body += Markup.label("none", x: Self.left, y: y + 12, "note")
            return y + Self.laneHeight
        }
        for target in lanes.targets {
            body += Markup.label(target.name, x: Self.left - 8, y: y + 12, "tick end", limit: 14)
            for lane in target.lanes {
                for item in lane { body += draw(item, y) }
                y += Self.laneHeight
            }
            y += 2
        }
        return y
    }

    private func draw(_ item: FaultLanes.Item, _ y: Double) -> String {
        func rect(_ from: Double, _ to: Double, _ classes: String) -> String {
            Markup.element(
                "rect",
                [
                    "x": Markup.number(from), "y": Markup.number(y + 1), "width": Markup.number(to - from),
                    "height": Markup.number(Self.laneHeight - 3), "class": classes,
                ])
        }
        let hidden = item.more + 1 - item.lines.count
        let lines = item.lines + (hidden > 0 ? ["and \(hidden) more"] : [])
        var svg = "<g class=\"fault\"><title>\(Markup.text(lines.joined(separator: "\n"), limit: 2_000))</title>"
        if item.to > item.healed { svg += rect(item.healed, item.to, "recovering") }
        svg += rect(item.from, item.healed, item.more > 0 ? "broken several" : "broken")
        if let label = item.label {
            let text = item.more > 0 ? "\(item.more + 1)\u{d7}" : label
            svg += Markup.label(text, x: item.from + 3, y: y + 11.5, "kind")
        }
        return svg + "</g>"
    }

    private func describe(_ fault: FaultSpan) -> String {
        let at = Reading.moment(fault.began - series.zero, tenths: true)
        let head = "#\(fault.number) \(fault.kind): \(fault.what) (\(fault.target)) at \(at)"
        guard let healed = fault.healed else { return head + ", never mended" }
        let broken = Reading.duration(healed - fault.began)
        return head
            + ", broken for \(broken), recovered \(Reading.duration(recovery.byNumber[fault.number] ?? 0)) later"
    }

    /// Behind everything, where anything was broken.
    private func bands(from top: Double, to bottom: Double) -> String {
        var bands: [(from: Double, to: Double)] = []
        for fault in faults {
            let (from, to) = (x(fault.began), max(x(fault.began) + 1, fault.healed.map(x) ?? Self.right))
            if let last = bands.last, from <= last.to + 1 {
                bands[bands.count - 1].to = max(last.to, to)
            } else {
                bands.append((from, to))
            }
        }
        return bands.map { band in
            Markup.element(
                "rect",
                [
                    "x": Markup.number(band.from), "y": Markup.number(top),
                    "width": Markup.number(band.to - band.from), "height": Markup.number(bottom - top),
                    "class": "band",
                ])
        }.joined()
    }

    // MARK: Plots and strips

    private func title(_ title: String, _ note: String, from y: Double, _ body: inout String) -> Double {
        body += "<text x=\"\(Markup.number(Self.left))\" y=\"\(Markup.number(y + 24))\" class=\"title\">"
        body += "\(Markup.text(title)) <tspan class=\"note\" dx=\"6\">\(Markup.text(note))</tspan></text>"
        return y + Self.titleHeight - 6
    }

    /// In the title's row, at its end.
    private func legend(_ entries: [(name: String, classes: String)], y: Double, _ body: inout String) {
        var right = Self.right
        for (name, classes) in entries.reversed() {
            let name = name.count > 60 ? name.prefix(60) + "…" : name[...]
            body += "<text x=\"\(Markup.number(right))\" y=\"\(Markup.number(y + 24))\" class=\"tick end\">"
            body += "<tspan class=\"\(classes)\">\u{25a0}</tspan> \(Markup.text(String(name)))</text>"
            right -= Double(name.count) * 6 + 32
        }
    }

    private func draw(_ plot: TimelinePlot, from start: Double, _ body: inout String) -> Double {
        let y = title(plot.title, plot.note, from: start, &body) + 4
        legend(plot.series.map { ($0.name, "fill \($0.color)") }, y: start, &body)
        body += plot.svg(left: Self.left, width: Self.right - Self.left, top: y)
        return y + TimelinePlot.height
    }

    private func drawStrips(from start: Double, _ body: inout String) -> Double {
        guard !series.nodes.isEmpty else { return start }
        var y = title("Nodes", "what each says of itself when it is asked", from: start, &body)
        let states: [ClusterRecord.Readiness] = [.ready, .degraded, .unready, .unreachable]
        legend(states.map { ($0.rawValue, "state \($0.rawValue)") }, y: start, &body)
        for node in series.nodes {
            body += Markup.label(node.name, x: Self.left - 8, y: y + 12, "tick end", limit: 14)
            drawStrip(node, y, &body)
            y += Self.stripHeight + 3
        }
        return y
    }

    /// A rectangle for each stretch in which the node was equally ready.
    private func drawStrip(_ node: NodeSeries, _ y: Double, _ body: inout String) {
        let step = (Self.right - Self.left) / Double(series.grid.count)
        var index = 0
        while index < node.states.count {
            let (first, state) = (index, node.states[index])
            var reasons: [String] = []
            while index < node.states.count, node.states[index]?.readiness == state?.readiness {
                for reason in node.states[index]?.reasons ?? []
                where reasons.count < NodeSeries.mostReasons && !reasons.contains(reason) { reasons.append(reason) }
                index += 1
            }
            guard let state else { continue }
            let from = Reading.moment(series.grid.start + Int64(first) * series.grid.width - series.zero)
            let to = Reading.moment(series.grid.start + Int64(index) * series.grid.width - series.zero)
            let why = reasons.isEmpty ? "" : ": " + reasons.joined(separator: ", ")
            body += Markup.element(
                "rect",
                [
                    "x": Markup.number(Self.left + Double(first) * step), "y": Markup.number(y),
                    "width": Markup.number(Double(index - first) * step), "height": Markup.number(Self.stripHeight),
                    "class": "state \(state.readiness.rawValue)",
                ], title: "\(node.name) \(state.readiness.rawValue) from \(from) to \(to)\(why)")
        }
    }

    // MARK: The axis

    /// Lines at round times, their labels above and below, and the stages of the run.
    private func axis(top: Double, bottom: Double) -> String {
        var svg = ""
        for moment in ticks {
            let place = Markup.number(x(moment))
            svg += "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Markup.number(top))\" "
            svg += "y2=\"\(Markup.number(bottom))\" class=\"grid\"/>"
            let label = Reading.moment(moment - series.zero)
            let classes = x(moment) > Self.right - 24 ? "tick end" : "tick middle"
            svg += Markup.label(label, x: x(moment), y: top - 8, classes)
            svg += Markup.label(label, x: x(moment), y: bottom + 16, classes)
        }
        for (stage, at) in stages where stage != .baseline && stage != .end {
            let place = Markup.number(x(at))
            svg += "<line x1=\"\(place)\" x2=\"\(place)\" y1=\"\(Markup.number(top))\" "
            svg += "y2=\"\(Markup.number(bottom))\" class=\"stage\"/>"
            // The load's names have room on its side of the line.
            let isBefore = stage == .heal
            svg += Markup.label(
                stage.rawValue, x: min(x(at) + (isBefore ? -4 : 4), Self.right - 40), y: top + 9,
                isBefore ? "note end" : "note")
        }
        return svg
    }

    /// Round moments, counted from the run's zero, some hundred points apart.
    private var ticks: [Int64] {
        let length = series.grid.end - series.grid.start
        let second: Int64 = 1_000_000_000
        var step = second
        for factor in [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400] as [Int64]
        where length / step > 12 { step = factor * second }
        while length / step > 12 { step *= 2 }
        let first = (series.grid.start - series.zero) / step
        return ((first - 1)...(first + 14)).map { series.zero + $0 * step }
            .filter { $0 >= series.grid.start && $0 <= series.grid.end }
    }
}
