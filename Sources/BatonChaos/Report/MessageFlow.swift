import BatonHistory

/// The way of each message, read from the devices' histories: when it was sent, accepted, and applied.
///
/// A device that stops to read of its own accord makes nobody wait: what it applies later, because of that, counts
/// neither as latency nor as backlog.
struct MessageFlow: Sendable {
    struct Message: Sendable {
        let sent: Int64
        /// nil where its sender was never told.
        fileprivate(set) var accepted: Int64?
        /// When its sender had an outcome, whatever it was; nil where it never had one.
        fileprivate(set) var settled: Int64?
        /// When the last of the devices that are entitled to it had applied it; nil where one never did.
        fileprivate(set) var complete: Int64?
    }

    /// One device's application of a message.
    struct Delivery: Sendable {
        let sent: Int64
        let applied: Int64
    }

    private(set) var messages: [Message] = []
    /// Those to devices that read all the time.
    private(set) var deliveries: [Delivery] = []
    /// Times at which messages of other devices were applied.
    private(set) var applications: [Int64] = []

    private struct Name: Hashable {
        let device: String
        let ref: String
    }

    /// What is needed of a message while histories are read.
    private struct Expected {
        let sender: String
        let recipients: [String]
        /// Devices that have not applied it yet.
        var missing: Int
        var last: Int64
    }

    init(_ histories: [DeviceHistory]) {
        var devices: [String: Int] = [:]
        for history in histories { devices[history.user, default: 0] += 1 }
        var numbers: [Name: Int] = [:]
        var expected: [Expected] = []
        for history in histories {
            for record in history.records {
                guard case .invoked(let ref, _, let recipients, _) = record.event else { continue }
                numbers[Name(device: history.device, ref: ref)] = messages.count
                messages.append(Message(sent: record.moment))
                let others = recipients.reduce(0) { $0 + ($1 == history.user ? 0 : devices[$1] ?? 0) }
                expected.append(
                    Expected(
                        sender: history.user, recipients: recipients,
                        missing: others + devices[history.user, default: 1] - 1,
                        last: record.moment))
            }
        }
        for history in histories { follow(history, numbers, &expected) }
        for (index, message) in expected.enumerated() where message.missing <= 0 {
            messages[index].complete = message.last
        }
    }

    private mutating func follow(_ history: DeviceHistory, _ numbers: [Name: Int], _ expected: inout [Expected]) {
        let pauses = history.pauses
        var seen: Set<Int> = []
        for record in history.records {
            switch record.event {
            case .ok(let ref, _, _):
                guard let index = numbers[Name(device: history.device, ref: ref)] else { continue }
                if messages[index].accepted == nil { messages[index].accepted = record.moment }
                settle(index, record.moment)
            case .failed(let ref, _), .unknown(let ref):
                if let index = numbers[Name(device: history.device, ref: ref)] { settle(index, record.moment) }
            case .applied(let message) where message.device != history.device:
                applications.append(record.moment)
                guard let index = numbers[Name(device: message.device, ref: message.ref)],
                    seen.insert(index).inserted,
                    expected[index].sender == history.user || expected[index].recipients.contains(history.user)
                else { continue }
                expected[index].missing -= 1
                let sent = messages[index].sent
                if pauses.contains(where: { $0.lowerBound < record.moment && $0.upperBound > sent }) { continue }
                expected[index].last = max(expected[index].last, record.moment)
                deliveries.append(Delivery(sent: sent, applied: max(sent, record.moment)))
            default: break
            }
        }
    }

    private mutating func settle(_ index: Int, _ moment: Int64) {
        if messages[index].settled == nil { messages[index].settled = moment }
    }
}
