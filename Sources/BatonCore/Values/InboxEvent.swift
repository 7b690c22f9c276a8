/// An entry of a user's inbox, as committed.
public struct InboxEvent: Hashable, Sendable {
    /// Whose inbox.
    public let user: UserID
    /// Where in it.
    public let sequence: InboxSequence
    public let body: Body

    public enum Body: Hashable, Sendable {
        /// A message of one of the user's conversations; also an own one, for the user's other devices.
        case message(StoredMessage)
        /// Somebody's watermarks moved.
        case receipt(Receipt)
        /// Any other kind: its number, and the bytes of its field in the message `Event` of relay.proto. A newer node may
        /// have written it, so the number need not be one of `EventKind`. It is passed on as it is.
        case encoded(kind: UInt32, bytes: [UInt8])

        /// nil: a kind of a newer version.
        public var kind: EventKind? {
            switch self {
            case .message: .message
            case .receipt: .receipt
            case .encoded(let kind, _): EventKind(rawValue: kind)
            }
        }
    }

    public init(user: UserID, sequence: InboxSequence, body: Body) {
        self.user = user
        self.sequence = sequence
        self.body = body
    }

    /// Bytes that the event counts for in windows and pages: its payload and a flat rest.
    public var cost: Int {
        switch body {
        case .message(let message): message.payload.count + Self.flatCost
        case .receipt: Self.flatCost
        case .encoded(_, let bytes): bytes.count + Self.flatCost
        }
    }

    /// What an event's ids, numbers and framing take at most, in bytes.
    public static let flatCost = 96
}

/// A message as the store keeps it.
public struct StoredMessage: Hashable, Sendable {
    public let id: MessageID
    /// When the store took it in. Never before an earlier message of the same conversation.
    public let at: Timestamp
    /// The fields that do not change once it is sent (sender, device, ref, content), encoded by the protocol module.
    /// The store compares it to recognise a retry and otherwise leaves it alone.
    public let payload: [UInt8]

    public init(id: MessageID, at: Timestamp, payload: [UInt8]) {
        self.id = id
        self.at = at
        self.payload = payload
    }
}

/// The watermarks of one member in one conversation: 0 <= read <= delivered <= last. They never go backwards.
public struct Receipt: Hashable, Sendable {
    public let conversation: ConversationID
    /// Whose watermarks.
    public let user: UserID
    /// All messages up to here reached at least one device of the user.
    public let delivered: ConversationSequence
    /// All messages up to here were read by the user.
    public let read: ConversationSequence
    public let at: Timestamp

    public init(
        conversation: ConversationID, user: UserID, delivered: ConversationSequence, read: ConversationSequence,
        at: Timestamp
    ) {
        self.conversation = conversation
        self.user = user
        self.delivered = delivered
        self.read = read
        self.at = at
    }
}
