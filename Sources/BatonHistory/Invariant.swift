/// What all histories of a run together must fulfil. The names stay as they are: reports and programs know them.
package enum Invariant: String, CaseIterable, Sendable {
    // Messages.
    case lost
    case neverSent = "never_sent"
    case refusedApplied = "refused_applied"
    case duplicated
    case refSplit = "ref_split"
    case diverged
    case reordered
    case hole
    case orderInverted = "order_inverted"
    case resynced
    // Receipts and counts.
    case receiptWentBack = "receipt_went_back"
    case receiptUntruthful = "receipt_untruthful"
    case receiptIncomplete = "receipt_incomplete"
    case unreadWrong = "unread_wrong"
    // Users and devices.
    case presenceWrong = "presence_wrong"
    case typingLeaked = "typing_leaked"
    case twoConnections = "two_connections"
    // The cluster.
    case recoverySlow = "recovery_slow"
    case readyButDeaf = "ready_but_deaf"
    case notBackToBaseline = "not_back_to_baseline"
    case misbehaved

    /// The invariant as a sentence, for people.
    package var sentence: String {
        switch self {
        case .lost: "an accepted message is applied by every device that is entitled to it"
        case .neverSent: "what is applied or accepted was sent, as it was sent"
        case .refusedApplied: "what was refused for good is not applied"
        case .duplicated: "no device applies a message twice"
        case .refSplit: "one ref of a device makes one message, on whatever nodes it is sent again"
        case .diverged: "a place of a conversation holds the same message everywhere"
        case .reordered: "a device applies a conversation in its order, and each device's messages in the order sent"
        case .hole: "a device passes over no place of its inbox or of a conversation"
        case .orderInverted: "an accepted message stands before those sent after its acceptance"
        case .resynced: "every inbox can be continued"
        case .receiptWentBack: "receipts never go back, and read <= delivered <= last"
        case .receiptUntruthful: "nobody is told delivered or read before a device of that user acknowledged or read it"
        case .receiptIncomplete: "in the end every sender knows what was delivered and read"
        case .unreadWrong: "unread counts are exact"
        case .presenceWrong: "presence is the truth within its bound"
        case .typingLeaked: "only members are told who types, acquaintances who are not blocked, and only what is so"
        case .twoConnections: "a device has one live connection, within the bound of a displacement"
        case .recoverySlow: "once what was broken is mended, messages are accepted and applied within the bound"
        case .readyButDeaf: "a node that delivers nothing for longer than the bound does not call itself ready"
        case .notBackToBaseline: "connections, sessions, channels, descriptors and memory come back to where they were"
        case .misbehaved: "processes end when they are told to, and only then"
        }
    }
}
