package import BatonHistory

/// How soon clients were back after an outage; the last line of `baton chaos outage` is its JSON.
package struct OutageReport: Encodable, Hashable, Sendable {
    package let verdict: RunOutcome
    package let nodes: Int
    package let clients: Int
    /// Those that were online again when the run ended.
    package let back: Int
    /// From the end of the nodes to all being ready again.
    package let downSeconds: Double
    /// From all nodes being ready to a client's being online, zero for one that was online before. nil: not all came.
    package let backMs: Percentiles?
    /// Attempts to connect, of all clients, from the end of the nodes on.
    package let attempts: Int
    /// Within which 99 of 100 are to be back.
    package let withinSeconds: Double

    /// - Parameter back: of each client that came back, how long after the nodes were ready; less than zero: before.
    init(nodes: Int, clients: Int, back: [Duration], down: Duration, attempts: Int, within: Duration) {
        self.nodes = nodes
        self.clients = clients
        self.back = back.count
        self.attempts = attempts
        downSeconds = down / .seconds(1)
        withinSeconds = within / .seconds(1)
        backMs = back.count < clients ? nil : Percentiles(back.map { max($0, .zero) / .milliseconds(1) })
        verdict = backMs.map { $0.p99 <= within / .milliseconds(1) } == true ? .pass : .fail
    }

    /// One JSON object on one line.
    package var json: String { JSONLine.encode(self) }

    package var text: String {
        var rows = [
            ["nodes", "\(nodes), all killed, ready again after \(Reading.milliseconds(downSeconds * 1_000))"],
            ["clients", "\(Reading.count(back)) of \(Reading.count(clients)) back"],
            ["attempts", Reading.count(attempts)],
        ]
        if let backMs {
            rows.append([
                "back after",
                "p50 \(Reading.milliseconds(backMs.p50)), p99 \(Reading.milliseconds(backMs.p99)), "
                    + "max \(Reading.milliseconds(backMs.max))",
            ])
        }
        let bound = Reading.milliseconds(withinSeconds * 1_000)
        let sentence =
            switch (verdict, backMs) {
            case (.pass, _): "99 of 100 clients were back within \(bound) of the nodes"
            case (_, nil): "not all clients came back"
            default: "99 of 100 clients were not back within \(bound) of the nodes"
            }
        return (TextTable(rows).lines + ["", "\(verdict.rawValue.uppercased()): \(sentence)"]).joined(separator: "\n")
    }
}
