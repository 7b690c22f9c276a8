import BatonCore
import BatonProtocol
package import CoreMetrics
import Metrics
import NIOCore

/// What the relay counts, made once at the start, so that counting neither locks nor allocates.
///
/// The node's table of metrics tells what each means; a test compares the names.
package final class RelayMetrics: Sendable {
    package let connectionsBegun: Counter
    package let framesReceived: Counter
    package let accepted: Counter
    package let repeated: Counter
    package let accept: Timer
    package let deliveredByHint: Counter
    package let deliveredByDrain: Counter
    package let acknowledged: Counter
    package let hintsPublished: Counter
    package let publishErrors: Counter
    package let hintsReceived: Counter
    package let hintsStale: Counter
    package let hintMissed: Counter
    package let contradicted: Counter
    package let gaps: Counter
    package let drains: Counter
    package let drainsFailed: Counter
    package let windowFull: Counter
    package let cameOnline: Counter
    package let wentOffline: Counter

    /// For what is not to be counted.
    static let uncounted = RelayMetrics(factory: NOOPMetricsHandler.instance)

    private let rejections: [String: Counter]
    private let limits: [SendLimit: Counter]
    private let closes: [CloseCode: Counter]
    private let closedByPeer: Counter

    package init(factory: any MetricsFactory = MetricsSystem.factory) {
        func counter(_ name: String, _ labels: (String, String)...) -> Counter {
            Counter(label: "baton_" + name, dimensions: labels, factory: factory)
        }
        connectionsBegun = counter("connections_opened_total")
        framesReceived = counter("frames_received_total")
        accepted = counter("messages_accepted_total")
        repeated = counter("messages_repeated_total")
        accept = Timer(label: "baton_accept_seconds", dimensions: [], factory: factory)
        deliveredByHint = counter("events_delivered_total", ("path", "hint"))
        deliveredByDrain = counter("events_delivered_total", ("path", "drain"))
        acknowledged = counter("events_acknowledged_total")
        hintsPublished = counter("hints_published_total")
        publishErrors = counter("publish_errors_total")
        hintsReceived = counter("hints_received_total")
        hintsStale = counter("hints_stale_total")
        hintMissed = counter("hint_missed_total")
        contradicted = counter("bus_disbelieved_total", ("reason", "contradicted"))
        gaps = counter("hint_gaps_total")
        drains = counter("drains_total")
        drainsFailed = counter("drains_failed_total")
        windowFull = counter("window_full_total")
        cameOnline = counter("presence_changes_total", ("state", "online"))
        wentOffline = counter("presence_changes_total", ("state", "offline"))
        rejections = Dictionary(
            uniqueKeysWithValues: ErrorCode.allCases.map { code in
                (code.rawValue, counter("messages_rejected_total", ("code", code.rawValue)))
            })
        limits = Dictionary(
            uniqueKeysWithValues: SendLimit.allCases.map { limit in
                (limit, counter("sends_limited_total", ("limit", limit.rawValue)))
            })
        closes = Dictionary(
            uniqueKeysWithValues: CloseCode.allCases.map { code in
                (code, counter("connections_closed_total", ("code", "\(code)")))
            })
        closedByPeer = counter("connections_closed_total", ("code", "none"))
    }

    package func rejected(_ code: String) { rejections[code]?.increment() }

    /// A send was refused because its user sends too much.
    func limited(_ limit: SendLimit) { limits[limit]?.increment() }

    /// - Parameter code: what we closed with; nil where the client went.
    func closed(_ code: CloseCode?) { (code.flatMap { closes[$0] } ?? closedByPeer).increment() }
}

extension RelayMetrics {
    func countSend(_ outcome: StoreOutcome, after time: TimeAmount) {
        guard case .sent(let message) = outcome else { return }
        (message.isRepeat ? repeated : accepted).increment()
        accept.recordNanoseconds(time.nanoseconds)
    }
}
