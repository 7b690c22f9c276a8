import BatonProtocol
import Metrics

/// What the relay counts. Names and meanings stand in the DocC article `Operations`.
final class RelayMetrics: Sendable {
    let accepted = Counter(label: "baton_messages_accepted_total")
    let repeated = Counter(label: "baton_messages_repeated_total")
    let delivered = Counter(label: "baton_events_written_total")
    let acknowledged = Counter(label: "baton_acknowledgements_total")
    let framesIn = Counter(label: "baton_frames_received_total")
    let hintsPublished = Counter(label: "baton_hints_published_total")
    let hintsUnpublished = Counter(label: "baton_hints_unpublished_total")
    let hintsForwarded = Counter(label: "baton_hints_forwarded_total")
    let hintMissed = Counter(label: "baton_hint_missed_total")
    let gaps = Counter(label: "baton_gaps_total")
    let pagesRead = Counter(label: "baton_inbox_pages_read_total")
    let readsFailed = Counter(label: "baton_inbox_reads_failed_total")
    let presenceChanges = Counter(label: "baton_presence_changes_total")
    let acceptSeconds = Timer(label: "baton_accept_seconds")

    private let rejections: [String: Counter]
    private let closes: [UInt16: Counter]

    init() {
        rejections = Dictionary(
            uniqueKeysWithValues: ErrorCode.allCases.map { code in
                (code.rawValue, Counter(label: "baton_rejected_total", dimensions: [("code", code.rawValue)]))
            })
        closes = Dictionary(
            uniqueKeysWithValues: CloseCode.allCases.map { code in
                let name = String(describing: code)
                return (code.rawValue, Counter(label: "baton_closed_total", dimensions: [("reason", name)]))
            })
    }

    func rejected(_ code: String) { rejections[code]?.increment() }

    func closed(_ code: CloseCode) { closes[code.rawValue]?.increment() }
}
