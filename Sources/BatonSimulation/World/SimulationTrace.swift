import Synchronization

/// What happened in a simulation, event by event: virtual time, who, what.
///
/// It is off while thousands of schedules run; the seed of one that failed is run again with it on, and does the same.
/// It can be read while the schedule runs, and may not end.
package final class SimulationTrace: Sendable {
    private struct State {
        var lines: [String] = []
        var dropped = 0
    }

    let isOn: Bool
    private let state = Mutex(State())

    /// Lines that are kept; of a longer trace the first ones go.
    static let maximumLines = 200_000

    init(isOn: Bool) { self.isOn = isOn }

    func append(_ nanoseconds: Int64, _ who: String, _ what: String) {
        let micros = nanoseconds / 1_000
        let fraction = String(micros % 1_000_000)
        let seconds = "\(micros / 1_000_000).\(String(repeating: "0", count: 6 - fraction.count))\(fraction)"
        let line =
            String(repeating: " ", count: max(0, 12 - seconds.count)) + seconds + "  "
            + who + String(repeating: " ", count: max(1, 10 - who.count)) + what
        state.withLock { state in
            if state.lines.count >= Self.maximumLines {
                let half = state.lines.count / 2
                state.lines.removeFirst(half)
                state.dropped += half
            }
            state.lines.append(line)
        }
    }

    /// The whole trace.
    package var text: String {
        let (lines, dropped) = state.withLock { ($0.lines, $0.dropped) }
        let head = dropped > 0 ? ["... \(dropped) lines before"] : []
        return (head + lines).joined(separator: "\n")
    }
}
