import BatonHistory

/// The tables of faults.
extension ReportPage {
    var faultTables: String {
        guard !report.faults.isEmpty else { return "<p>Nothing was broken.</p>" }
        return """
            <p class="quiet">A message is late when more than \(Reading.duration(RecoveryTimes.lateness)) passes from \
            its sending until the last device that is entitled to it has applied it. It counts for the fault that was \
            mended last before it arrived. A fault's recovery is the time from its mending until the last message \
            that counts for it arrived; 0 where there was none.</p>
            <div class="card">\(kinds)</div><div class="card" style="margin-top: 14px">\(list)</div>
            """
    }

    private var kinds: String {
        let longest = report.recovery.kinds.values.compactMap(\.max).max() ?? 0
        var rows = ""
        for (kind, times) in report.recovery.kinds.sorted(by: { $0.key < $1.key }).prefix(Self.mostFaults) {
            let part = longest > 0 ? (times.max ?? 0) / longest * 100 : 0
            rows +=
                "<tr><td>\(Markup.text(kind, limit: 60))</td><td class=\"right\">\(Reading.count(times.faults))</td>"
            rows += "<td class=\"right\">\(times.p50.map(Reading.milliseconds) ?? "-")</td>"
            rows += "<td class=\"right\">\(times.max.map(Reading.milliseconds) ?? "-")</td>"
            rows += "<td class=\"bar\"><i style=\"width: \(Markup.number(part))%\"></i></td></tr>"
        }
        return """
            <table><tr><th>Kind</th><th class="right">Faults</th><th class="right">Recovery p50</th>\
            <th class="right">Recovery max</th><th></th></tr>\(rows)</table>
            """
    }

    private var list: String {
        let shown = shownFaults
        var rows = ""
        for fault in shown {
            rows += "<tr><td class=\"right\">\(fault.number)</td>"
            rows += "<td class=\"right\">\(Reading.moment(fault.began - drawing.series.zero, tenths: true))</td>"
            rows += "<td>\(Markup.text(fault.kind, limit: 60))</td><td>\(Markup.text(fault.target, limit: 60))</td>"
            rows += "<td>\(Markup.text(fault.what))</td>"
            rows +=
                "<td class=\"right\">\(fault.healed.map { Reading.duration($0 - fault.began) } ?? "never mended")</td>"
            rows +=
                "<td class=\"right\">\(report.recovery.byNumber[fault.number].map(Reading.duration) ?? "-")</td></tr>"
        }
        let left = report.faults.count - shown.count
        if left > 0 {
            rows +=
                "<tr><td colspan=\"7\" class=\"quiet\">\(Reading.count(left)) more, which recovered sooner, are not shown.</td></tr>"
        }
        return """
            <table><tr><th class="right">#</th><th class="right">At</th><th>Kind</th><th>Target</th><th>What</th>\
            <th class="right">Broken for</th><th class="right">Recovery</th></tr>\(rows)</table>
            """
    }

    /// All, or those that took longest, in the order of time.
    private var shownFaults: [FaultSpan] {
        func recovery(_ fault: FaultSpan) -> Int64 {
            fault.healed == nil ? .max : report.recovery.byNumber[fault.number] ?? 0
        }
        guard report.faults.count > Self.mostFaults else { return report.faults }
        return report.faults.sorted { recovery($0) > recovery($1) }.prefix(Self.mostFaults)
            .sorted { $0.began < $1.began }
    }
}
