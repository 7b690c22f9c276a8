/// One line of a device's history: what it did or saw, and when.
///
/// A history is the device's own view, written while it happens. The checker knows nothing else, so that it judges
/// what people would have seen, whatever the servers believe.
package struct HistoryRecord: Hashable, Sendable {
    /// Nanoseconds of a clock that never goes back and that all histories of a run share.
    package let at: Int64
    package let event: Event

    package init(at: Int64, _ event: Event) {
        self.at = at
        self.event = event
    }

    package enum Event: Hashable, Sendable {
        /// Whose history this is. The first line.
        case device(user: String, device: String)
        /// The device sends message number `body` of its own to these users.
        case invoked(ref: String, conversation: String, recipients: [String], body: UInt64)
        /// The relay accepted it.
        case ok(ref: String, conversation: String, sequence: UInt64)
        /// The relay refused it for good.
        case failed(ref: String, code: String)
        /// The device gave up without having learned what became of it.
        case unknown(ref: String)
        /// The device applied a message.
        case applied(Applied)
        /// The device applied a receipt.
        case receipt(Receipt)
        /// The device told the relay that its user has read so far.
        case read(conversation: String, sequence: UInt64)
        /// The device's connection changed.
        case connection(String)
        /// The device was told that its inbox cannot be continued.
        case resync(String)
    }

    package struct Applied: Hashable, Sendable {
        package let inbox: UInt64
        package let conversation: String
        package let sequence: UInt64
        /// The sending device.
        package let device: String
        package let ref: String
        /// nil where the message is none of a harness.
        package let body: UInt64?

        package init(
            inbox: UInt64, conversation: String, sequence: UInt64, device: String, ref: String, body: UInt64?
        ) {
            self.inbox = inbox
            self.conversation = conversation
            self.sequence = sequence
            self.device = device
            self.ref = ref
            self.body = body
        }
    }

    package struct Receipt: Hashable, Sendable {
        package let inbox: UInt64
        package let conversation: String
        /// Whose watermarks these are.
        package let user: String
        package let delivered: UInt64
        package let read: UInt64

        package init(inbox: UInt64, conversation: String, user: String, delivered: UInt64, read: UInt64) {
            self.inbox = inbox
            self.conversation = conversation
            self.user = user
            self.delivered = delivered
            self.read = read
        }
    }
}

extension HistoryRecord: Codable {
    private enum Key: String, CodingKey {
        case at, event, user, device, ref, conversation, recipients, sequence, body, code, inbox, delivered, read, state
    }

    private enum Kind: String, Codable {
        case device, invoked, ok, failed, unknown, applied, receipt, read, connection, resync
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func text(_ key: Key) throws -> String { try fields.decode(String.self, forKey: key) }
        func number(_ key: Key) throws -> UInt64 { try fields.decode(UInt64.self, forKey: key) }
        at = try fields.decode(Int64.self, forKey: .at)
        switch try fields.decode(Kind.self, forKey: .event) {
        case .device: event = .device(user: try text(.user), device: try text(.device))
        case .invoked:
            event = .invoked(
                ref: try text(.ref), conversation: try text(.conversation),
                recipients: try fields.decode([String].self, forKey: .recipients), body: try number(.body))
        case .ok:
            event = .ok(ref: try text(.ref), conversation: try text(.conversation), sequence: try number(.sequence))
        case .failed: event = .failed(ref: try text(.ref), code: try text(.code))
        case .unknown: event = .unknown(ref: try text(.ref))
        case .applied:
            event = .applied(
                Applied(
                    inbox: try number(.inbox), conversation: try text(.conversation), sequence: try number(.sequence),
                    device: try text(.device), ref: try text(.ref),
                    body: try fields.decodeIfPresent(UInt64.self, forKey: .body)))
        case .receipt:
            event = .receipt(
                Receipt(
                    inbox: try number(.inbox), conversation: try text(.conversation), user: try text(.user),
                    delivered: try number(.delivered), read: try number(.read)))
        case .read: event = .read(conversation: try text(.conversation), sequence: try number(.sequence))
        case .connection: event = .connection(try text(.state))
        case .resync: event = .resync(try text(.state))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(at, forKey: .at)
        switch event {
        case .device(let user, let device):
            try fields.encode(Kind.device, forKey: .event)
            try fields.encode(user, forKey: .user)
            try fields.encode(device, forKey: .device)
        case .invoked(let ref, let conversation, let recipients, let body):
            try fields.encode(Kind.invoked, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(recipients, forKey: .recipients)
            try fields.encode(body, forKey: .body)
        case .ok(let ref, let conversation, let sequence):
            try fields.encode(Kind.ok, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(sequence, forKey: .sequence)
        case .failed(let ref, let code):
            try fields.encode(Kind.failed, forKey: .event)
            try fields.encode(ref, forKey: .ref)
            try fields.encode(code, forKey: .code)
        case .unknown(let ref):
            try fields.encode(Kind.unknown, forKey: .event)
            try fields.encode(ref, forKey: .ref)
        case .applied(let message):
            try fields.encode(Kind.applied, forKey: .event)
            try fields.encode(message.inbox, forKey: .inbox)
            try fields.encode(message.conversation, forKey: .conversation)
            try fields.encode(message.sequence, forKey: .sequence)
            try fields.encode(message.device, forKey: .device)
            try fields.encode(message.ref, forKey: .ref)
            try fields.encodeIfPresent(message.body, forKey: .body)
        case .receipt(let receipt):
            try fields.encode(Kind.receipt, forKey: .event)
            try fields.encode(receipt.inbox, forKey: .inbox)
            try fields.encode(receipt.conversation, forKey: .conversation)
            try fields.encode(receipt.user, forKey: .user)
            try fields.encode(receipt.delivered, forKey: .delivered)
            try fields.encode(receipt.read, forKey: .read)
        case .read(let conversation, let sequence):
            try fields.encode(Kind.read, forKey: .event)
            try fields.encode(conversation, forKey: .conversation)
            try fields.encode(sequence, forKey: .sequence)
        case .connection(let state):
            try fields.encode(Kind.connection, forKey: .event)
            try fields.encode(state, forKey: .state)
        case .resync(let state):
            try fields.encode(Kind.resync, forKey: .event)
            try fields.encode(state, forKey: .state)
        }
    }
}
