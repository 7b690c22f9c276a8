package import BatonClient
import BatonCore

/// One line of a device's history: what it did or saw, and when.
///
/// A history is the device's own view, written while it happens. The checker knows nothing else of the relay, so that
/// it judges what people would have seen, whatever the servers believe.
package struct HistoryRecord: Hashable, Sendable {
    /// Nanoseconds of a clock that never goes back and that all histories of a run share.
    package let at: Int64
    package let event: Event

    package init(at: Int64, _ event: Event) {
        self.at = at
        self.event = event
    }

    package enum Event: Hashable, Sendable {
        /// Whose history this is, and which encoding the device speaks, by the name of its subprotocol. The first line.
        case device(user: String, device: String, encoding: String? = nil)
        /// The device sends message number `body` of its own to these users.
        case invoked(ref: String, conversation: String, recipients: [String], body: UInt64)
        /// The message left on this connection: for the first time, or again.
        case sent(ref: String, connection: UInt64)
        /// The relay accepted it.
        case ok(ref: String, conversation: String, sequence: UInt64)
        /// The relay refused it for good.
        case failed(ref: String, code: String)
        /// The device gave up without having learned what became of it.
        case unknown(ref: String)
        /// An entry of the inbox came over this connection. The relay sends each once on a connection, whatever the device
        /// makes of it.
        case received(inbox: UInt64, connection: UInt64)
        /// The device applied a message.
        case applied(Applied)
        /// The device applied a receipt.
        case receipt(Receipt)
        /// The device tells the relay that it has applied its inbox up to here.
        case acked(inbox: UInt64)
        /// The device tells the relay that its user has read so far.
        case read(conversation: String, sequence: UInt64)
        /// A connection of the device changed.
        case connection(Connection)
        /// From here on the device wants to know the presence of these users, on the connection that it has.
        case watching([String])
        /// What the device was told of a watched user.
        case presence(user: String, isOnline: Bool)
        /// The device shows these users, the conversation's other members, that its user types there, or no longer does.
        case typed(conversation: String, recipients: [String], isActive: Bool)
        /// The device was told that a user types in a conversation, or no longer does.
        case typing(conversation: String, user: String, isActive: Bool)
        /// The device's user has blocked another one.
        case blocked(user: String)
        /// What REST said of a conversation: messages not read, how far the user has read, and the last message.
        case unread(conversation: String, count: UInt64, read: UInt64, last: UInt64)
        /// The device stops to read from its connection, or goes on.
        case reading(Bool)
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

    /// A connection of the device, by its own number. Several may be open at the same time.
    package struct Connection: Hashable, Sendable {
        package let number: UInt64
        package let change: Change

        package init(_ number: UInt64, _ change: Change) {
            self.number = number
            self.change = change
        }

        package enum Change: Hashable, Sendable {
            /// An attempt begins; from here on the relay may know of it.
            case opened(address: String)
            case welcomed(node: String)
            /// What waited in the inbox was sent.
            case live
            /// It ended, or the attempt failed. Clean: the relay was told, or told so itself, with a code if it gave one.
            case ended(code: UInt16?, isClean: Bool, why: String)
        }
    }
}

extension HistoryRecord.Event {
    /// What a device writes down when it applies an event; nil where something else writes it down.
    ///
    /// - Parameter inbox: the entry's place in the inbox; 0 where it is none.
    package init?(_ event: ClientEvent, at inbox: UInt64) {
        switch event {
        case .message(let message):
            self = .applied(
                HistoryRecord.Applied(
                    inbox: inbox, conversation: message.id.conversation.description,
                    sequence: message.id.sequence.rawValue, device: message.device.description, ref: message.ref,
                    body: HarnessText.number(in: message.content)))
        case .receipt(let receipt):
            self = .receipt(
                HistoryRecord.Receipt(
                    inbox: inbox, conversation: receipt.conversation.description, user: receipt.user.description,
                    delivered: receipt.delivered.rawValue, read: receipt.read.rawValue))
        case .resync(let reason): self = .resync("\(reason)")
        case .presence(let change): self = .presence(user: change.user.description, isOnline: change.isOnline)
        case .typing(let typing):
            self = .typing(
                conversation: typing.conversation.description, user: typing.user.description, isActive: typing.isActive)
        case .accepted, .rejected, .caughtUp: return nil
        }
    }
}
