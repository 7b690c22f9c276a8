import BatonCore
import BatonNode

/// What the running nodes tell.
extension DoctorRules {
    /// By how much a node's clock is ahead of this host's, as far as an HTTP date of whole seconds shows it.
    struct ClockReading: Hashable, Sendable {
        let node: String
        let least: Int64
        let most: Int64

        /// - Parameters:
        ///   - date: the answer's, milliseconds of a whole second.
        ///   - asked: this host's time before the request, and after the answer.
        init(node: String, date: Int64, asked: Int64, answered: Int64) {
            self.node = node
            // Its clock showed something between the date and a second later, at some moment in between.
            least = date - answered
            most = date + 1_000 - asked
        }
    }

    /// How far the clocks of the nodes are apart, at least.
    static func clocks(_ readings: [ClockReading]) -> Finding? {
        guard let slow = readings.min(by: { $0.most < $1.most }), let fast = readings.max(by: { $0.least < $1.least })
        else { return nil }
        let check = "clocks of nodes"
        let apart = max(0, fast.least - slow.most)
        guard apart >= 1_000 else { return .ok(check, "\(readings.count) agree within a second or two") }
        let found = "\(fast.node) is \(apart) ms or more ahead of \(slow.node)"
        let change = "let chrony or systemd-timesyncd keep the clocks of all hosts"
        // Tokens of one node are from the future for another, and a restart counts as the earlier one.
        return apart >= 10_000 ? .failure(check, found, change: change) : .warning(check, found, change: change)
    }

    static func node(_ name: String, address: String, isReady: Bool, reasons: [String]) -> Finding {
        let check = "node \(name)"
        let why = reasons.isEmpty ? "" : ": " + reasons.joined(separator: ", ")
        if !isReady { return .failure(check, "not ready\(why)", change: "Operations says what each reason is") }
        guard reasons.isEmpty else {
            return .warning(check, "degraded\(why)", change: "Operations says what each reason is")
        }
        return .ok(check, "ready at \(address)")
    }

    static func unreachable(_ name: String, address: String) -> Finding {
        .failure(
            "node \(name)", "does not answer at \(address), where its lease says that it is",
            change: "listen.advertise: an address of \(name) that others reach")
    }

    /// - Parameter limits: `/proc/<pid>/limits`.
    static func openFiles(ofNode name: String, limits: String, for wanted: OpenFiles.Shares) -> Finding? {
        let line = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        guard let words = line?.dropFirst("Max open files".count).split(separator: " "), let first = words.first else {
            return nil
        }
        let check = "open files of \(name)"
        guard first != "unlimited" else { return .ok(check, "unlimited") }
        return Int(first).map { openFiles(check, limit: $0, for: wanted) }
    }

    /// - Parameter somaxconn: how many connections may wait for an `accept`, whatever a program asks for.
    static func backlog(somaxconn: Int, wanted: Int) -> Finding {
        let check = "listen backlog"
        guard somaxconn < wanted else { return .ok(check, "\(somaxconn)") }
        return .warning(
            check, "\(somaxconn): when all clients come back at once, some are turned away by the kernel",
            change: "sysctl net.core.somaxconn=\(wanted)")
    }
}
