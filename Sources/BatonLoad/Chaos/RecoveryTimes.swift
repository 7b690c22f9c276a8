/// How long the faults were felt: for each kind, the longest that a message took that was sent about its time.
package struct RecoveryTimes: Sendable, Encodable {
    package struct Times: Sendable, Encodable {
        /// Milliseconds from sending a message to its last recipient's device applying it.
        package var p50: Double
        package var max: Double
    }

    /// By the fault's name; `none` are the messages sent while nothing was broken.
    package private(set) var kinds: [String: Times] = [:]

    /// Messages are counted for a fault from this long before it, since it may catch them on their way ...
    private static let before: Int64 = 500_000_000
    /// ... to this long after it.
    private static let after: Int64 = 2_500_000_000

    package init(_ histories: [DeviceHistory], faults: [InjectedFault]) {
        let messages = Self.messages(histories)
        var touched: Set<Int> = []
        var worst: [FaultKind: [Double]] = [:]
        for fault in faults {
            let span = (fault.at - Self.before)...(fault.at + Self.after)
            var longest = 0.0
            for (index, message) in messages.enumerated() where span.contains(message.sent) {
                touched.insert(index)
                longest = Swift.max(longest, message.milliseconds)
            }
            worst[fault.kind, default: []].append(longest)
        }
        for (kind, values) in worst { kinds[kind.rawValue] = Self.times(values) }
        let quiet = messages.indices.filter { !touched.contains($0) }.map { messages[$0].milliseconds }
        if !quiet.isEmpty { kinds["none"] = Self.times(quiet) }
    }

    package func encode(to encoder: any Encoder) throws { try kinds.encode(to: encoder) }

    private static func times(_ values: [Double]) -> Times {
        let sorted = values.sorted()
        return Times(p50: sorted[sorted.count / 2].rounded(), max: (sorted.last ?? 0).rounded())
    }

    /// For each message that was applied when it was sent, and how long its slowest recipient waited.
    private static func messages(_ histories: [DeviceHistory]) -> [(sent: Int64, milliseconds: Double)] {
        struct Name: Hashable {
            let device: String
            let ref: String
        }
        var sent: [Name: Int64] = [:]
        for history in histories {
            for record in history.records {
                guard case .invoked(let ref, _, _, _) = record.event else { continue }
                sent[Name(device: history.device, ref: ref)] = record.at
            }
        }
        var last: [Name: Int64] = [:]
        for history in histories {
            for record in history.records {
                guard case .applied(let message) = record.event, message.device != history.device else { continue }
                let name = Name(device: message.device, ref: message.ref)
                last[name] = Swift.max(last[name] ?? 0, record.at)
            }
        }
        return last.compactMap { name, applied in
            sent[name].map { ($0, Double(applied - $0) / 1_000_000) }
        }
    }
}
