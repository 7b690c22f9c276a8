import BatonGateway

extension TraceEntry {
    /// What happened, for people. The row's other columns say when, where and to whom.
    var words: String {
        switch kind {
        case .received: "a send of \(bytes ?? 0) bytes"
        case .rejected: "answered with \(reason ?? "an error")"
        case .committed:
            "commit \(commit ?? 0) of \(operations ?? 0) operations: waited \(Self.ms(waitedMicroseconds)), "
                + "worked \(Self.ms(executedMicroseconds)), synced \(Self.ms(committedMicroseconds))"
        case .accepted:
            reason == nil
                ? "told the sender, commit \(commit ?? 0)" : "a retry: told the sender the first outcome again"
        case .published:
            switch receivers {
            case nil: "the hint could not be published; told again when the bus is back"
            case 0: "hinted to nobody: no node has them; inbox \(inboxSequence ?? 0)"
            case .some(let count):
                "hinted to \(count) receiver\(count == 1 ? "" : "s"), which Redis told after "
                    + "\(Self.ms(answeredMicroseconds)); inbox \(inboxSequence ?? 0)"
            }
        case .written:
            "written to the socket, \(path == "drain" ? "read from the store" : "as the hint brought it"); "
                + "\(unacknowledged ?? 0) unacknowledged"
        case .blocked:
            (reason == "not_writable" ? "the socket takes nothing" : "the window is full")
                + ": sent up to \(before ?? 0), \(unacknowledged ?? 0) unacknowledged"
        case .missed: "the hint was missed; the sweep found it"
        case .acknowledged: "the device has everything up to \(inboxSequence ?? 0)"
        case .stored:
            reason == nil ? "that is on disk, commit \(commit ?? 0)" : "that could not be stored; tried again"
        case .opened: "connected, resumes behind \(inboxSequence ?? 0) of \(before ?? 0)"
        case .closed:
            "the connection ended\(reason.map { ", code \($0)" } ?? ""): sent up to \(inboxSequence ?? 0), "
                + "acknowledged \(before ?? 0)"
        }
    }

    private static func ms(_ microseconds: UInt64?) -> String {
        TraceReport.milliseconds(Int64(clamping: microseconds ?? 0)) + " ms"
    }
}
