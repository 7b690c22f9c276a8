package import BatonCore
import Synchronization

/// `ConversationStore` as plain arrays, with direct conversations that tests fill by `send` and `read`.
package final class InMemoryConversationStore: ConversationStore {
    private struct Conversation {
        var messages: [(message: StoredMessage, sender: UserID)] = []
        var read: [UserID: ConversationSequence] = [:]
    }

    private struct State {
        var conversations: [ConversationID: Conversation] = [:]
        var failure: StoreError?
    }

    private let accounts: InMemoryAccountStore
    private let state = Mutex(State())

    /// - Parameter accounts: knows the members' names and blocks.
    package init(accounts: InMemoryAccountStore) {
        self.accounts = accounts
    }

    /// Lets all calls fail from now on; nil ends that.
    package func fail(with failure: StoreError?) { state.withLock { $0.failure = failure } }

    /// Stores a message in the direct conversation of two users, which is made where there is none.
    @discardableResult
    package func send(_ payload: [UInt8], from sender: UserID, to other: UserID, at: Timestamp) -> MessageID? {
        guard let id = ConversationID(between: sender, and: other) else { return nil }
        return state.withLock { state in
            var conversation = state.conversations[id] ?? Conversation()
            let sequence = ConversationSequence(rawValue: UInt64(conversation.messages.count) + 1)
            let message = MessageID(conversation: id, sequence: sequence)
            conversation.messages.append((StoredMessage(id: message, at: at, payload: payload), sender))
            state.conversations[id] = conversation
            return message
        }
    }

    /// Moves a member's watermarks.
    package func read(_ conversation: ConversationID, by user: UserID, upTo sequence: ConversationSequence) {
        state.withLock { state in
            let known = state.conversations[conversation]?.read[user] ?? .zero
            state.conversations[conversation]?.read[user] = max(known, sequence)
        }
    }

    package func conversations(
        of user: UserID, before: ConversationCursor?, limit: Int, bytes: Int
    ) async throws(StoreError) -> ListPage<ConversationSummary> {
        let all = try snapshot()
        let summaries = all.keys.filter { $0.peer(of: user) != nil }.compactMap { summary($0, of: user, in: all) }
        let isBehind: (ConversationSummary) -> Bool = { summary in
            before.map { (summary.at, summary.id) < ($0.at, $0.conversation) } ?? true
        }
        return ListPage(
            first: limit, upTo: bytes, of: summaries.filter(isBehind).sorted { ($0.at, $0.id) > ($1.at, $1.id) },
            \.cost)
    }

    package func conversation(
        _ id: ConversationID, of user: UserID
    ) async throws(StoreError) -> ConversationSummary? {
        summary(id, of: user, in: try snapshot())
    }

    package func history(
        of conversation: ConversationID, for user: UserID, _ range: HistoryRange, limit: Int, bytes: Int
    ) async throws(StoreError) -> ListPage<StoredMessage>? {
        guard conversation.peer(of: user) != nil, let found = try snapshot()[conversation] else { return nil }
        let messages = found.messages.map(\.message)
        switch range {
        case .before(let end):
            let older = messages.reversed().filter { message in end.map { message.id.sequence < $0 } ?? true }
            let page = ListPage(first: limit, upTo: bytes, of: older, \.payload.count)
            return ListPage(items: page.items.reversed(), hasMore: page.hasMore)
        case .after(let start):
            return ListPage(
                first: limit, upTo: bytes, of: messages.filter { $0.id.sequence > start }, \.payload.count)
        }
    }

    package func members(
        of conversation: ConversationID, for user: UserID
    ) async throws(StoreError) -> [ConversationMember]? {
        try await self.conversation(conversation, of: user)?.members
    }

    package func acquaintances(
        of user: UserID, among others: [UserID]
    ) async throws(StoreError) -> Set<UserID> {
        let all = try snapshot()
        return Set(
            others.filter { other in
                guard let id = ConversationID(between: user, and: other), let found = all[id] else { return false }
                let writers = Set(found.messages.map(\.sender))
                return writers.count == 2 && !accounts.areBlocked(user, other)
            })
    }

    private func snapshot() throws(StoreError) -> [ConversationID: Conversation] {
        try state.withLock { state throws(StoreError) in
            if let failure = state.failure { throw failure }
            return state.conversations
        }
    }

    private func summary(
        _ id: ConversationID, of user: UserID, in all: [ConversationID: Conversation]
    ) -> ConversationSummary? {
        guard let pair = id.pair, id.peer(of: user) != nil, let found = all[id], let last = found.messages.last else {
            return nil
        }
        let members = [pair.0, pair.1].compactMap { member -> ConversationMember? in
            guard let names = accounts.names(of: member) else { return nil }
            let read = found.read[member] ?? .zero
            return ConversationMember(
                user: member, handle: names.handle, displayName: names.displayName, role: .member, delivered: read,
                read: read)
        }
        let read = found.read[user] ?? .zero
        let unread = found.messages.count { $0.sender != user && $0.message.id.sequence > read }
        return ConversationSummary(
            id: id, members: members, last: last.message, at: last.message.at, unread: unread)
    }
}
