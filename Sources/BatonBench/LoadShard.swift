import BatonCore
import Histogram
import NIOCore

/// The part of a load that lives on one event loop: its pairs' ledgers, its counters, its clock. Loop-bound.
final class LoadShard {
    /// Numbers that only grow; differences of two readings are what happened between them.
    struct Counters: Sendable {
        var accepted = 0
        var delivered = 0
        var rejected = 0
        var receipts = 0
        var disconnected = 0
        var heartbeats = 0
        /// A position of an inbox that did not follow the one before.
        var gaps = 0

        static func + (left: Counters, right: Counters) -> Counters {
            Counters(
                accepted: left.accepted + right.accepted, delivered: left.delivered + right.delivered,
                rejected: left.rejected + right.rejected, receipts: left.receipts + right.receipts,
                disconnected: left.disconnected + right.disconnected,
                heartbeats: left.heartbeats + right.heartbeats, gaps: left.gaps + right.gaps)
        }
    }

    struct Verdict: Sendable {
        var lost = 0
        var duplicated = 0
        var reordered = 0
    }

    /// A minute; slower answers are counted as this.
    private static let longestNanoseconds: UInt64 = 60_000_000_000

    /// Between two looks at what a rate makes due.
    private static let tick: TimeAmount = .microseconds(500)

    let eventLoop: any EventLoop
    var counters = Counters()
    var ledgers: [Int: PairLedger] = [:]
    var senders: [LoadConnection] = []
    /// How many messages each sender may send in all, and at once.
    var quota = Int.max
    var window = 0
    private(set) var isMeasuring = false
    private(set) var acceptLatency = LoadShard.histogram()
    private(set) var endToEndLatency = LoadShard.histogram()
    private var ticker: RepeatedTask?
    private var nextSender = 0

    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Latencies count from here on.
    func beginMeasuring() {
        acceptLatency.reset()
        endToEndLatency.reset()
        isMeasuring = true
    }

    func endMeasuring() { isMeasuring = false }

    /// Every sender keeps its window full, until `stopSending`.
    func sendByWindow(_ window: Int, quota: Int = .max) {
        self.quota = quota
        self.window = window
        for sender in senders { sender.fillWindow() }
    }

    /// So many messages a second, in turn by all senders.
    func send(perSecond rate: Double) {
        let shard = NIOLoopBound(self, eventLoop: eventLoop)
        let began = NIODeadline.now()
        let sent = NIOLoopBoundBox(0, eventLoop: eventLoop)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in
            let due = Int(Double((NIODeadline.now() - began).nanoseconds) / 1e9 * rate)
            while sent.value < due {
                shard.value.sendOne()
                sent.value += 1
            }
        }
    }

    private func sendOne() {
        guard !senders.isEmpty else { return }
        senders[nextSender % senders.count].sendOne()
        nextSender += 1
    }

    func stopSending() {
        ticker?.cancel()
        ticker = nil
        window = 0
    }

    func accepted(after nanoseconds: UInt64) {
        counters.accepted += 1
        if isMeasuring { acceptLatency.record(min(nanoseconds, Self.longestNanoseconds)) }
    }

    func delivered(after nanoseconds: UInt64) {
        counters.delivered += 1
        if isMeasuring { endToEndLatency.record(min(nanoseconds, Self.longestNanoseconds)) }
    }

    var verdict: Verdict {
        ledgers.values.reduce(into: Verdict()) { verdict, ledger in
            verdict.lost += ledger.lost
            verdict.duplicated += ledger.duplicated
            verdict.reordered += ledger.reordered
        }
    }

    /// Nothing is under way: every message has its answer, and every accepted one was delivered.
    var isSettled: Bool { verdict.lost == 0 && senders.allSatisfy { $0.unsettled == 0 } }

    private static func histogram() -> Histogram<UInt64> {
        Histogram(highestTrackableValue: longestNanoseconds, numberOfSignificantValueDigits: .three)
    }
}

@available(*, unavailable)
extension LoadShard: Sendable {}
