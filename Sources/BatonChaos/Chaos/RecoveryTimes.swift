package import BatonHistory

/// How long each fault was felt after it was mended.
///
/// A message is late when more than `lateness` passes from its sending until the last device that is entitled to it
/// has applied it. What never arrives at all is lost, not late, and devices that stopped to read of their own accord
/// do not count.
///
/// A late message counts for the fault that was mended last before it arrived, unless the message was sent more than
/// `lateness` after that: while anything was broken that held it up, nobody recovered. The checker's bound counts from
/// there too. A fault's recovery is the time from its mending until the last message that counts for it arrived, and
/// nothing where there is none.
package struct RecoveryTimes: Sendable {
    package struct Times: Sendable, Encodable, Equatable {
        package var faults: Int
        /// Milliseconds of recovery; nil where no fault of the kind was mended.
        package var p50: Double?
        package var max: Double?
    }

    /// Nanoseconds: some times what a message takes on a busy machine, and less than a client waits for an answer.
    package static let lateness: Int64 = 1_000_000_000

    /// Nanoseconds, by the fault's number; none for those that were never mended.
    package private(set) var byNumber: [Int: Int64] = [:]
    /// By the fault's kind.
    package private(set) var kinds: [String: Times] = [:]

    package init(_ histories: [DeviceHistory], faults: [FaultSpan]) {
        self.init(MessageFlow(histories), faults: faults)
    }

    init(_ flow: MessageFlow, faults: [FaultSpan]) {
        let mendings = Set(faults.compactMap(\.healed)).sorted()
        var ends: [Int64: Int64] = [:]
        for message in flow.messages {
            guard let complete = message.complete, complete - message.sent > Self.lateness,
                let mended = Self.last(of: mendings, upTo: complete), message.sent - mended <= Self.lateness
            else { continue }
            ends[mended] = max(ends[mended] ?? complete, complete)
        }
        for fault in faults {
            guard let healed = fault.healed else { continue }
            byNumber[fault.number] = (ends[healed] ?? healed) - healed
        }
        for (kind, faults) in Dictionary(grouping: faults, by: \.kind) {
            let times = faults.compactMap { byNumber[$0.number] }.sorted().map { Double($0) / 1e6 }
            kinds[kind] = Times(
                faults: faults.count, p50: times.isEmpty ? nil : times[(times.count - 1) / 2].rounded(),
                max: times.last?.rounded())
        }
    }

    /// The greatest that is not beyond the limit, of moments in ascending order.
    private static func last(of moments: [Int64], upTo limit: Int64) -> Int64? {
        var (low, high) = (0, moments.count)
        while low < high {
            let middle = (low + high) / 2
            if moments[middle] > limit { high = middle } else { low = middle + 1 }
        }
        return low > 0 ? moments[low - 1] : nil
    }
}
