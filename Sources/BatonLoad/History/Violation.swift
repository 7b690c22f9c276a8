/// What all histories of a run together must fulfil.
package enum Invariant: String, CaseIterable, Sendable {
    /// Every device that is entitled to an accepted message applied it.
    case lost
    /// No device applied a message twice.
    case duplicated
    /// A device applies a conversation in ascending order, and each sender's messages in the order sent.
    case reordered
    /// A device passes over no place of a conversation.
    case hole
    /// A place of a conversation holds the same message on all devices.
    case diverged
    /// One ref makes one message.
    case refSplit = "ref_split"
    /// What is applied was sent, as it was sent.
    case neverSent = "never_sent"
    /// Receipts never go back, and `read <= delivered <= last`.
    case receiptWentBack = "receipt_went_back"
    /// In the end each sender knows what was delivered and read.
    case receiptIncomplete = "receipt_incomplete"
    /// No device is told that its inbox cannot be continued.
    case resynced

    /// The invariant as a sentence, for people.
    package var sentence: String {
        switch self {
        case .lost: "an accepted message reaches every device that is entitled to it"
        case .duplicated: "no device applies a message twice"
        case .reordered: "messages are applied in the conversation's order and in the order they were sent"
        case .hole: "no place of a conversation is passed over"
        case .diverged: "a place of a conversation holds the same message everywhere"
        case .refSplit: "one ref makes one message"
        case .neverSent: "what is applied was sent"
        case .receiptWentBack: "receipts never go back, and read <= delivered <= last"
        case .receiptIncomplete: "in the end receipts are complete"
        case .resynced: "every inbox can be continued"
        }
    }
}

/// One breach of an invariant, with the lines that prove it.
package struct Violation: Sendable {
    package let invariant: Invariant
    /// What happened, with names.
    package let what: String
    /// As few lines of the histories as show it.
    package let evidence: [HistoryLine]
}

/// A place in a history.
package struct HistoryLine: Hashable, Sendable {
    package let name: String
    package let line: Int
    package let record: HistoryRecord
}

/// What the histories of a run say.
package struct HistoryVerdict: Sendable {
    package var devices = 0
    /// Messages that the relay accepted.
    package var accepted = 0
    /// Messages applied, counted for each device other than the sending one.
    package var delivered = 0
    /// Messages refused for good, and those whose fate the sender never learned.
    package var failed = 0
    package var unknown = 0
    /// How often each invariant was broken.
    package var counts: [Invariant: Int] = [:]
    /// For each broken invariant the breaches that were found first.
    package var examples: [Invariant: Violation] = [:]

    package var isSound: Bool { counts.isEmpty }
    package func count(_ invariant: Invariant) -> Int { counts[invariant] ?? 0 }
}
