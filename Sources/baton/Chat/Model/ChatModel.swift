import BatonClient
import BatonCore

/// What the terminal client knows and shows: people, conversations, the connection.
///
/// Events, answers, lines and ticks go in; notes for the person and requests to the relay come out. No I/O, no clock:
/// `now` is an argument. `ChatModel+Commands.swift` reads lines, `ChatModel+Events.swift` what the relay sends.
struct ChatModel {
    struct Person: Hashable {
        var handle: String
        /// What others call themselves, made harmless.
        var displayName: String
        var presence: PresenceChange?
    }

    enum Connection: Hashable {
        case offline(String)
        case connecting(String)
        case catchingUp(node: String)
        case online(node: String)
        case waiting(until: Timestamp, why: String)
    }

    /// Messages of a page of history.
    static let page = 50
    /// A typing notice is repeated after this many milliseconds, and believed for `Limits.Presence.typingSeconds`.
    static let typingAgain: Int64 = 3_000
    /// Notices never come closer than this: a relay closes connections that flood it.
    static let typingApart: Int64 = 1_000

    let me: UserID
    let handle: String
    let device: DeviceID
    var people: [UserID: Person]
    var threads: [ConversationID: ChatThread] = [:]
    /// The conversation on the screen; what is typed goes there.
    var open: ConversationID?
    var connection = Connection.offline(OfflineReason.requested.words)
    /// Why the chat cannot go on by itself; set when the device lost its right to connect.
    var ending: OfflineReason?
    /// Everything that waited was delivered, on this connection.
    var isCaughtUp = false
    /// The conversations' list was read once.
    var isListed = false
    /// When this user's typing was told last, and whether it is told to go on.
    var typingTold: Timestamp?
    var isTypingTold = false
    var watched: [UserID] = []
    /// Whom the chat waits for.
    var awaited: Awaited?
    /// Outcomes of messages that came before the word that these were queued; there are few, and briefly.
    var early: [String: ClientEvent] = [:]
    static let earlyOutcomes = 64

    init(me: UserID, handle: String, device: DeviceID) {
        self.me = me
        self.handle = handle
        self.device = device
        people = [me: Person(handle: handle, displayName: handle)]
    }

    /// Conversations, the one where something happened last first.
    var listed: [ChatThread] {
        threads.values.sorted { ($1.at, $0.id) < ($0.at, $1.id) }
    }

    var unreadElsewhere: UInt64 {
        threads.values.reduce(0) { $0 + ($1.id == open ? 0 : $1.unread) }
    }

    var waitingCount: Int {
        threads.values.reduce(0) { $0 + $1.outgoing.count { $0.state == .waiting } }
    }

    func name(of user: UserID) -> String {
        people[user]?.handle ?? user.description
    }

    /// What a conversation is called: its other members.
    func title(of id: ConversationID) -> String {
        guard let thread = threads[id] else { return id.description }
        return thread.members.map { name(of: $0) }.joined(separator: ", ")
    }

    func isKnown(_ user: UserID) -> Bool { people[user] != nil }

    /// "online", "last seen 2 min ago", or nil where it is not known.
    func presence(of user: UserID, now: Timestamp) -> String? {
        guard let presence = people[user]?.presence else { return nil }
        if presence.isOnline { return "online" }
        guard let seen = presence.lastSeen else { return "offline" }
        return "last seen \(ChatTime.ago(seen, now: now))"
    }

    /// Who types in a conversation, as a sentence.
    func typing(in id: ConversationID) -> String? {
        guard let typing = threads[id]?.typing, !typing.isEmpty else { return nil }
        let names = typing.keys.map { name(of: $0) }.sorted()
        return "\(names.joined(separator: ", ")) \(names.count == 1 ? "is" : "are") typing…"
    }

    /// The connection in words.
    func connectionText(now: Timestamp) -> String {
        switch connection {
        case .offline(let why): return "offline: \(why)"
        case .connecting(let address): return "connecting to \(address)…"
        case .catchingUp(let node): return "catching up via \(node)…"
        case .online(let node): return "online via \(node)"
        case .waiting(let until, let why):
            let seconds = max(0, (until.milliseconds - now.milliseconds + 999) / 1_000)
            return "reconnecting in \(seconds) s; connection lost: \(why)"
        }
    }

    // MARK: Time

    /// Once a second or so: what ended by itself.
    mutating func ticked(now: Timestamp) -> ChatStep {
        var step = ChatStep()
        for id in threads.keys {
            guard let typing = threads[id]?.typing, !typing.isEmpty else { continue }
            _ = threads[id]?.expireTyping(now: now)
            for user in typing.keys where threads[id]?.typing[user] == nil {
                step.notes.append(.typing(name(of: user), isActive: false))
            }
        }
        if let request = awaitedRequest(now: now) { step.requests.append(request) }
        return step
    }

    /// The line that is being written changed.
    mutating func edited(isEmpty: Bool, isCommand: Bool, now: Timestamp) -> ChatStep {
        guard let open, threads[open]?.last != .zero, !isCommand else { return ChatStep() }
        if isEmpty {
            guard isTypingTold else { return ChatStep() }
            isTypingTold = false
            return .request(.typing(false, in: open))
        }
        if let typingTold {
            let wait = isTypingTold ? Self.typingAgain : Self.typingApart
            guard now.milliseconds - typingTold.milliseconds >= wait else { return ChatStep() }
        }
        typingTold = now
        isTypingTold = true
        return .request(.typing(true, in: open))
    }

    // MARK: Shared by lines and events

    /// Makes the conversation with somebody known, as far as it is none yet.
    mutating func thread(with user: UserID) -> ConversationID? {
        guard let id = ConversationID(between: me, and: user) else { return nil }
        if threads[id] == nil { threads[id] = ChatThread(id: id, members: [user]) }
        return id
    }

    /// Puts a conversation on the screen.
    mutating func show(_ id: ConversationID, now: Timestamp) -> ChatStep {
        open = id
        awaited = nil
        isTypingTold = false
        let peer = id.peer(of: me).flatMap { presence(of: $0, now: now) }
        var step = ChatStep.note(.opened("conversation with \(title(of: id))\(peer.map { " (\($0))" } ?? "")"))
        if let thread = threads[id], thread.isLoaded {
            step.notes.append(history(of: id, thread.entries.suffix(Self.page)))
            step.requests += readRequests(id)
        } else {
            step.requests.append(.history(id))
        }
        return step
    }

    /// Tells the relay that what is on the screen was read.
    mutating func readRequests(_ id: ConversationID) -> [ChatRequest] {
        guard id == open, let thread = threads[id], thread.isLoaded else { return [] }
        guard let sequence = thread.lastReceived(by: me), sequence > thread.toldRead else { return [] }
        threads[id]?.toldRead = sequence
        threads[id]?.markedRead(upTo: thread.last)
        return [.markRead(MessageID(conversation: id, sequence: sequence))]
    }

    /// The presence of everybody in a conversation is watched, as far as one may watch so many.
    mutating func watchRequests() -> [ChatRequest] {
        var seen: Set<UserID> = []
        let others = listed.flatMap(\.members).filter { seen.insert($0).inserted }
        let watched = Array(others.prefix(Limits.Connection.watchedUsers))
        guard Set(watched) != Set(self.watched) else { return [] }
        self.watched = watched
        return [.watch(watched)]
    }

    func history(of id: ConversationID, _ entries: some Sequence<ChatEntry>) -> ChatNote {
        let lines = entries.map { entry in
            ChatNote.HistoryLine(
                entry: entry, sender: name(of: entry.sender),
                tick: entry.sender == me ? threads[id]?.tick(of: entry) : nil)
        }
        return .history(conversation: title(of: id), lines: lines)
    }

    mutating func remember(_ profile: Profile) {
        people[profile.id] = Person(
            handle: PrintableText.escaped(profile.handle), displayName: PrintableText.escaped(profile.displayName),
            presence: profile.presence ?? people[profile.id]?.presence)
    }
}
