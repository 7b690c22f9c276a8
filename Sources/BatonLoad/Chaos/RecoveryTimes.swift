/// How long each fault was felt after it was mended.
///
/// A message is late when more than `lateness` passes from its sending until the last device that is entitled to it
/// has applied it. What never arrives at all is lost, not late, and devices that stopped to read of their own accord
/// do not count.
///
/// A fault's recovery begins with its mending. It ends when everything late has arrived, and nothing that was sent in
/// the `lateness` after that was late again. Messages that were sent after the next fault began are that one's. It is
/// nothing where no message was late.
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
        let late = Late(flow)
        let beginnings = faults.map(\.began).sorted()
        for fault in faults {
            guard let healed = fault.healed else { continue }
            let next = beginnings.boundary { $0 > healed }.map { beginnings[$0] }
            byNumber[fault.number] = late.end(from: healed, sentBefore: next ?? .max) - healed
        }
        for (kind, faults) in Dictionary(grouping: faults, by: \.kind) {
            let times = faults.compactMap { byNumber[$0.number] }.sorted().map { Double($0) / 1e6 }
            kinds[kind] = Times(
                faults: faults.count, p50: times.isEmpty ? nil : times[times.count / 2].rounded(),
                max: times.last?.rounded())
        }
    }

    /// Messages that were late, in the order of their sending.
    private struct Late {
        let sent: [Int64]
        /// When all up to this one had arrived.
        private(set) var arrived: [Int64] = []

        init(_ flow: MessageFlow) {
            let late = flow.messages.compactMap { message -> (sent: Int64, complete: Int64)? in
                guard let complete = message.complete, complete - message.sent > RecoveryTimes.lateness else {
                    return nil
                }
                return (message.sent, complete)
            }.sorted { $0.sent < $1.sent }
            sent = late.map(\.sent)
            for message in late { arrived.append(max(arrived.last ?? 0, message.complete)) }
        }

        /// The end of the stretch of lateness that `moment` is in; `moment` where it is in none.
        func end(from moment: Int64, sentBefore next: Int64) -> Int64 {
            var end = moment
            while true {
                let limit = min(end + RecoveryTimes.lateness, next - 1)
                let count = sent.boundary { $0 > limit } ?? sent.count
                guard count > 0, arrived[count - 1] > end else { return end }
                end = arrived[count - 1]
            }
        }
    }
}

extension Array {
    /// The first index whose element, and with it all further ones, is so; nil where there is none.
    fileprivate func boundary(_ isSo: (Element) -> Bool) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isSo(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low < count ? low : nil
    }
}
