import BatonClient
import BatonCore

/// What comes of something that happened: what to tell the person, and what to ask the relay for.
struct ChatStep {
    var notes: [ChatNote] = []
    var requests: [ChatRequest] = []

    static func note(_ note: ChatNote) -> ChatStep { ChatStep(notes: [note]) }
    static func request(_ request: ChatRequest) -> ChatStep { ChatStep(requests: [request]) }
}

/// Something that happened, for the one who looks. The line mode prints all of them, the screen shows most by itself.
enum ChatNote: Hashable {
    /// A message came; of others, or of another device of the user's.
    case message(ChatEntry, sender: String, conversation: String, isOwn: Bool)
    /// An own message got further.
    case progress(ChatEntry, to: String, tick: Tick)
    /// Messages of the past, when a conversation is opened or more is asked for.
    case history(conversation: String, lines: [HistoryLine])
    case presence(String)
    case typing(String, isActive: Bool)
    case connection(String)
    /// A conversation is on the screen now.
    case opened(String)
    case info(String)
    case list([String])
    case problem(String)

    struct HistoryLine: Hashable {
        let entry: ChatEntry
        let sender: String
        let tick: Tick?
    }
}

/// What the chat asks the SDK for.
enum ChatRequest: Hashable {
    case send(String, to: Recipient)
    case markRead(MessageID)
    case typing(Bool, in: ConversationID)
    case watch([UserID])
    case conversations
    case conversation(ConversationID)
    /// A user by handle, to talk to them.
    case open(handle: String)
    /// The same, of somebody who may not be there yet.
    case lookFor(handle: String)
    case history(ConversationID)
    case older(before: MessageID)
    case who(handle: String)
    case devices
    case revoke(DeviceID)
    case logout
    case quit

    /// The person did not ask for it; it is asked again with the next connection.
    var isBackground: Bool {
        switch self {
        case .conversations, .conversation, .lookFor: true
        default: false
        }
    }

    /// Answered from the client's own memory, or by a frame: does not wait for the network.
    var isQuick: Bool {
        switch self {
        case .send, .markRead, .typing, .watch, .quit: true
        default: false
        }
    }
}

/// What came of a request.
enum ChatAnswer {
    case queued(ref: String, text: String, to: Recipient)
    case notQueued(text: String, why: String)
    case conversations([Conversation])
    case conversation(Conversation)
    case opened(Profile)
    case noSuchUser(handle: String)
    /// Somebody who was waited for is there.
    case arrived(Profile, handle: String)
    case notYet(handle: String)
    case history(ConversationID, HistoryPage)
    /// The relay does not know the conversation: nobody has written yet.
    case noHistory(ConversationID)
    case older(ConversationID, HistoryPage)
    case who(Profile)
    case devices([LinkedDevice])
    case revoked(DeviceID)
    case failed(String)
}
