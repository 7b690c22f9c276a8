import BatonClient
import BatonCore

/// A message as the chat shows it.
struct ChatEntry: Hashable {
    enum State: Hashable {
        /// In the outbox; not with the relay yet.
        case waiting
        case sent(ConversationSequence)
        case refused(String)
    }

    let ref: String
    let sender: UserID
    /// Harmless to show; may hold line breaks.
    let text: String
    var at: Timestamp
    var state: State

    init(ref: String, sender: UserID, text: String, at: Timestamp, state: State = .waiting) {
        self.ref = ref
        self.sender = sender
        self.text = text
        self.at = at
        self.state = state
    }

    init(_ message: Message) {
        self.init(
            ref: message.ref, sender: message.sender, text: message.content.shown, at: message.at,
            state: .sent(message.id.sequence))
    }

    var sequence: ConversationSequence? {
        if case .sent(let sequence) = state { sequence } else { nil }
    }
}

/// How far an own message got: one tick, two, two coloured.
enum Tick: Hashable {
    case waiting
    case accepted
    case delivered
    case read
    case refused
}

extension Content {
    /// As text for a terminal; what is no text is described.
    var shown: String {
        switch self {
        case .text(let text): TerminalText.message(text)
        case .data(let bytes, let mediaType):
            "[\(mediaType.isEmpty ? "data" : PrintableText.escaped(mediaType)), \(bytes.count) bytes]"
        }
    }
}
