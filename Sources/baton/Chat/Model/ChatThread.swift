import BatonClient
import BatonCore

import struct BatonClient.AcceptedMessage

/// A conversation as the chat knows it: the part of its messages that was loaded, the own ones that wait, and how far
/// its members are.
struct ChatThread {
    /// Messages kept in memory; older ones are loaded again when they are asked for.
    static let keptMessages = 2_000

    let id: ConversationID
    /// The other members.
    private(set) var members: [UserID]
    /// Ascending, without holes unless the store dropped some.
    private(set) var entries: [ChatEntry] = []
    /// Own messages that are not accepted, in the order in which they were written; refused ones stay to be seen.
    private(set) var outgoing: [ChatEntry] = []
    private(set) var unread: UInt64 = 0
    /// When something happened last: what conversations are sorted by.
    private(set) var at = Timestamp(milliseconds: 0)
    private(set) var last = ConversationSequence.zero
    /// The last page of the history is here, so that live messages can be put behind it.
    private(set) var isLoaded = false
    private(set) var hasOlder = false
    /// Up to here the relay was told that the user has read.
    var toldRead = ConversationSequence.zero
    private var delivered: [UserID: ConversationSequence] = [:]
    private var read: [UserID: ConversationSequence] = [:]
    /// Who types, and until when that is believed.
    private(set) var typing: [UserID: Timestamp] = [:]

    init(id: ConversationID, members: [UserID]) {
        self.id = id
        self.members = members
    }

    /// What is shown, oldest first.
    var shown: [ChatEntry] { entries + outgoing }

    /// The last message of others: what reading the conversation means to have read.
    func lastReceived(by user: UserID) -> ConversationSequence? {
        entries.last { $0.sender != user }?.sequence
    }

    func tick(of entry: ChatEntry) -> Tick {
        switch entry.state {
        case .waiting: return .waiting
        case .refused: return .refused
        case .sent(let sequence):
            if members.allSatisfy({ read[$0, default: .zero] >= sequence }), !members.isEmpty { return .read }
            if members.allSatisfy({ delivered[$0, default: .zero] >= sequence }), !members.isEmpty {
                return .delivered
            }
            return .accepted
        }
    }

    // MARK: What the relay tells

    mutating func update(_ conversation: Conversation, me: UserID) {
        members = conversation.members.map(\.user).filter { $0 != me }
        for member in conversation.members {
            advance(member.user, delivered: member.delivered, read: member.read)
        }
        if let message = conversation.lastMessage { last = max(last, message.id.sequence) }
        unread = conversation.unread
        at = max(at, conversation.at)
    }

    /// The latest messages. What came live meanwhile stays behind them; anything before them would leave a hole.
    mutating func load(_ page: HistoryPage) {
        let first = page.messages.first?.id.sequence ?? .zero
        entries.removeAll { ($0.sequence ?? .zero) < first }
        merge(page.messages.map { ChatEntry($0) })
        hasOlder = page.hasMore
        isLoaded = true
    }

    /// There is no such conversation at the relay yet: nothing is missing here.
    mutating func loadedNothing() {
        isLoaded = true
        hasOlder = false
    }

    mutating func loadOlder(_ page: HistoryPage) {
        merge(page.messages.map { ChatEntry($0) })
        hasOlder = page.hasMore
    }

    /// - Returns: false where the message is here already.
    mutating func add(_ message: Message, me: UserID) -> Bool {
        outgoing.removeAll { $0.ref == message.ref && message.sender == me }
        // What the relay counted already, when it told of the conversation, is not counted again.
        if message.id.sequence > last, message.sender != me { unread += 1 }
        last = max(last, message.id.sequence)
        at = max(at, message.at)
        typing[message.sender] = nil
        return merge([ChatEntry(message)]) > 0
    }

    mutating func advance(_ user: UserID, delivered: ConversationSequence, read: ConversationSequence) {
        self.delivered[user] = max(self.delivered[user, default: .zero], delivered, read)
        self.read[user] = max(self.read[user, default: .zero], read)
    }

    /// The user has read up to here, on some device.
    mutating func markedRead(upTo sequence: ConversationSequence) {
        unread = min(unread, last.rawValue - min(sequence.rawValue, last.rawValue))
    }

    mutating func isTyping(_ user: UserID, until deadline: Timestamp?) {
        typing[user] = deadline
    }

    /// - Returns: whether somebody stopped.
    mutating func expireTyping(now: Timestamp) -> Bool {
        let before = typing.count
        typing = typing.filter { $0.value > now }
        return typing.count != before
    }

    /// The history must be read again: what is here may have a hole behind it.
    mutating func invalidate() {
        isLoaded = false
        entries = []
    }

    // MARK: Own messages

    mutating func queued(_ entry: ChatEntry) {
        guard !outgoing.contains(where: { $0.ref == entry.ref }) else { return }
        outgoing.append(entry)
        at = max(at, entry.at)
    }

    /// - Returns: the message, with its place; nil where none of this ref waits.
    mutating func accepted(_ message: AcceptedMessage) -> ChatEntry? {
        guard let index = outgoing.firstIndex(where: { $0.ref == message.ref }) else { return nil }
        var entry = outgoing.remove(at: index)
        entry.state = .sent(message.id.sequence)
        entry.at = message.at
        last = max(last, message.id.sequence)
        at = max(at, message.at)
        merge([entry])
        return entry
    }

    mutating func refused(_ ref: String, why: String) -> ChatEntry? {
        guard let index = outgoing.firstIndex(where: { $0.ref == ref }) else { return nil }
        outgoing[index].state = .refused(why)
        return outgoing[index]
    }

    /// Puts messages where their sequence says; each is there once.
    ///
    /// - Returns: how many were not there.
    @discardableResult
    private mutating func merge(_ more: [ChatEntry]) -> Int {
        let before = entries.count
        for entry in more {
            guard let sequence = entry.sequence else { continue }
            // Almost always at an end.
            var index = entries.endIndex
            while index > 0, let before = entries[index - 1].sequence, before > sequence { index -= 1 }
            if index > 0, entries[index - 1].sequence == sequence { continue }
            entries.insert(entry, at: index)
            outgoing.removeAll { $0.ref == entry.ref && $0.sender == entry.sender }
        }
        return entries.count - before
    }

    /// Forgets the oldest messages; `/more` brings them back.
    mutating func trim() {
        guard entries.count > Self.keptMessages else { return }
        entries.removeFirst(entries.count - Self.keptMessages)
        hasOlder = true
    }
}
