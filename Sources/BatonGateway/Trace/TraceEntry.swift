import BatonCore

/// A record for people and programs: what `/admin/trace` answers and `baton trace` prints. Only the fields that its kind
/// has are there.
package struct TraceEntry: Codable, Hashable, Sendable {
    package var kind: TraceRecord.Kind
    /// Microseconds since 1970, by the node's clock.
    package var at: Int64
    package var loop: Int
    package var user: String?
    package var device: String?
    package var message: String?
    package var inboxSequence: UInt64?
    /// What was sent, or acknowledged, before.
    package var before: UInt64?
    /// The number of the commit in its process.
    package var commit: UInt32?
    package var operations: Int?
    /// Of a commit: the wait for the turnstile, the work, the commit itself.
    package var waitedMicroseconds: UInt64?
    package var executedMicroseconds: UInt64?
    package var committedMicroseconds: UInt64?
    package var receivers: Int?
    /// From a hint's publication to Redis' answer; 65,535 stands for longer, too.
    package var answeredMicroseconds: UInt64?
    /// `hint` or `drain`.
    package var path: String?
    /// Events that the device had not acknowledged.
    package var unacknowledged: Int?
    package var reason: String?
    package var bytes: Int?

    init(_ kind: TraceRecord.Kind, _ record: TraceRecord, on loop: Int, anchor: TraceAnchor) {
        self.kind = kind
        self.loop = loop
        at = anchor.civilMicroseconds(record.time)
        guard kind != .committed else {
            commit = record.number
            operations = Int(record.small)
            waitedMicroseconds = record.user / 1_000
            executedMicroseconds = record.device / 1_000
            committedMicroseconds = record.place / 1_000
            return
        }
        user = UserID(rawValue: record.user).description
        if record.device != 0 { device = DeviceID(rawValue: record.device).description }
        switch kind {
        case .received: bytes = Int(record.number)
        case .rejected: reason = record.code
        case .accepted:
            message = record.message?.description
            commit = record.number
            if record.detail == TraceRecord.Detail.isRepeat { reason = "repeat" }
        case .published:
            message = record.message?.description
            inboxSequence = record.place
            if record.detail != TraceRecord.Detail.failed { receivers = Int(record.number) }
            answeredMicroseconds = UInt64(record.small)
        case .written:
            message = record.message?.description
            inboxSequence = record.place
            path = record.detail == TraceRecord.Detail.byDrain ? "drain" : "hint"
            unacknowledged = Int(record.small)
        case .blocked:
            inboxSequence = record.place
            before = record.high
            reason = record.detail == TraceRecord.Detail.notWritable ? "not_writable" : "window_full"
            unacknowledged = Int(record.small)
        case .missed: inboxSequence = record.place
        case .acknowledged, .opened:
            inboxSequence = record.place
            before = record.high
        case .stored:
            inboxSequence = record.place
            if record.detail == TraceRecord.Detail.failed { reason = "failed" } else { commit = record.number }
        case .closed:
            inboxSequence = record.place
            before = record.high
            if record.number != 0 { reason = String(record.number) }
        case .committed: break
        }
    }
}

extension TraceRecord.Kind: Codable {
    package var name: String { "\(self)" }

    private static let named = Dictionary(uniqueKeysWithValues: allCases.map { ($0.name, $0) })

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let kind = Self.named[try container.decode(String.self)] else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no kind of a trace's entry")
        }
        self = kind
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}

extension TraceRecord {
    /// The error's code of a `rejected`: up to 24 bytes where others have a message's id.
    var code: String {
        get {
            let bytes = [high, low, sequence].flatMap { half in
                (0..<8).map { UInt8(truncatingIfNeeded: half >> ($0 * 8)) }
            }
            // A garbled file is no reason to print what moves a terminal's cursor.
            return String(
                decoding: bytes.prefix { $0 != 0 }.map { (0x21...0x7e).contains($0) ? $0 : 0x3f }, as: UTF8.self)
        }
        set {
            (high, low, sequence) = (0, 0, 0)
            for (index, byte) in newValue.utf8.prefix(24).enumerated() {
                let bits = UInt64(byte) << (UInt64(index % 8) * 8)
                switch index / 8 {
                case 0: high |= bits
                case 1: low |= bits
                default: sequence |= bits
                }
            }
        }
    }
}
