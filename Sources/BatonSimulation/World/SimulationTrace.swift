/// What happened in a simulation, event by event: virtual time, who, what.
///
/// It is off while thousands of schedules run; the seed of one that failed is run again with it on, and does the same.
package final class SimulationTrace {
    let isOn: Bool
    private var lines: [String] = []
    private var dropped = 0

    /// Lines that are kept; of a longer trace the first ones go.
    static let maximumLines = 200_000

    init(isOn: Bool) { self.isOn = isOn }

    func append(_ nanoseconds: Int64, _ who: String, _ what: String) {
        if lines.count >= Self.maximumLines {
            lines.removeFirst(lines.count / 2)
            dropped += Self.maximumLines - lines.count
        }
        let micros = nanoseconds / 1_000
        let fraction = String(micros % 1_000_000)
        let seconds = "\(micros / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
        lines.append(
            String(repeating: " ", count: max(0, 12 - seconds.count)) + seconds + "  "
                + who + String(repeating: " ", count: max(1, 10 - who.count)) + what)
    }

    /// The whole trace.
    package var text: String {
        let head = dropped > 0 ? ["... \(dropped) lines before"] : []
        return (head + lines).joined(separator: "\n")
    }

    package var count: Int { lines.count + dropped }
}

@available(*, unavailable) extension SimulationTrace: Sendable {}
