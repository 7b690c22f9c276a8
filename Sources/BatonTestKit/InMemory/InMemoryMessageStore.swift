package import BatonCore
import Synchronization

/// The message store's rules in plain words: what the engines are compared with, and what tests of other modules
/// stand on. One lock, no threads: completions run before `submit` returns, on the caller's thread.
package final class InMemoryMessageStore: MessageStore {
    struct State {
        var users: [UserID: InMemoryUser] = [:]
        var devices: [DeviceID: InMemoryDevice] = [:]
        var conversations: [ConversationID: InMemoryConversation] = [:]
        var refs: [RefKey: StoredMessage] = [:]
        /// `[user, whom they blocked]`.
        var blocks: Set<[UserID]> = []
        var error: StoreError?
    }

    struct RefKey: Hashable {
        let device: DeviceID
        let ref: String
    }

    let state: Mutex<State>

    package init() { state = Mutex(State()) }

    private init(_ content: State) { state = Mutex(content) }

    /// Another store with the same content.
    package func copy() -> InMemoryMessageStore { InMemoryMessageStore(state.withLock { $0 }) }

    // MARK: MessageStore

    package func submit(_ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome]) -> Void) {
        let outcomes = state.withLock { state in
            operations.map { operation -> StoreOutcome in
                if let error = state.error { return .failed(error) }
                return state.apply(operation)
            }
        }
        completion(outcomes)
    }

    package func readInbox(
        of user: UserID, after position: InboxSequence, limit: Int, bytes: Int,
        completion: @escaping @Sendable (Result<InboxPage, StoreError>) -> Void
    ) {
        let page = state.withLock { state in
            guard let inbox = state.users[user] else {
                return InboxPage(events: [], truncated: .zero, head: .zero)
            }
            var events: [InboxEvent] = []
            var cost = 0
            for event in inbox.events where event.sequence > position && events.count < max(limit, 1) {
                cost += event.cost
                if cost > bytes, !events.isEmpty { break }
                events.append(event)
            }
            return InboxPage(events: events, truncated: inbox.truncated, head: inbox.head)
        }
        completion(.success(page))
    }

    package func inboxState(
        of user: UserID, device: DeviceID,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void
    ) {
        let opened: Result<InboxState?, StoreError> = state.withLock { state in
            guard let inbox = state.users[user], let found = state.device(device, of: user) else {
                return .success(nil)
            }
            guard !found.isIdle else { return .failure(.unavailable("the device is idle")) }
            return .success(
                InboxState(
                    epoch: inbox.epoch, head: inbox.head, truncated: inbox.truncated, cursor: found.cursor))
        }
        completion(opened)
    }

    package func inboxHeads(
        of users: [UserID],
        completion: @escaping @Sendable (Result<[UserID: InboxSequence], StoreError>) -> Void
    ) {
        let heads = state.withLock { state in
            users.reduce(into: [:]) { heads, user in heads[user] = state.users[user]?.head }
        }
        completion(.success(heads))
    }

    package func newestConnections(
        of devices: [DeviceID],
        completion: @escaping @Sendable (Result<[DeviceID: ConnectionGeneration], StoreError>) -> Void
    ) {
        let newest = state.withLock { state in
            var newest: [DeviceID: ConnectionGeneration] = [:]
            for device in devices {
                guard let known = state.devices[device], known.revoked == nil else { continue }
                newest[device] = known.connections
            }
            return newest
        }
        completion(.success(newest))
    }
}

/// What tests set up.
extension InMemoryMessageStore: MessageFixture {
    package var messages: any MessageStore { self }

    package func addUser(_ user: UserID) {
        state.withLock { $0.users[user] = InMemoryUser(epoch: Epoch(rawValue: user.rawValue ^ 0xfeed)) }
    }

    package func addDevice(_ device: DeviceID, of user: UserID) {
        state.withLock { state in
            state.devices[device] = InMemoryDevice(owner: user, cursor: state.users[user]?.head ?? .zero)
        }
    }

    package func revoke(_ device: DeviceID, of user: UserID) { revoke(device, of: user, because: .loggedOut) }

    package func revoke(_ device: DeviceID, of user: UserID, because reason: RevocationReason) {
        state.withLock { state in
            state.devices[device]?.revoked = reason
            state.trim(user)
        }
    }

    package func idleDevices() {
        state.withLock { state in
            for device in state.devices.keys { state.devices[device]?.isIdle = true }
            for user in state.users.keys { state.trim(user) }
        }
    }

    package func setBlock(of other: UserID, by user: UserID, isBlocked: Bool) {
        state.withLock { state in
            if isBlocked { state.blocks.insert([user, other]) } else { state.blocks.remove([user, other]) }
        }
    }

    package func unread(of user: UserID, in conversation: ConversationID) -> Int {
        state.withLock { state in
            guard let found = state.conversations[conversation] else { return 0 }
            let read = found.members[user]?.read ?? .zero
            return found.messages.count { $0.sender != user && $0.message.id.sequence > read }
        }
    }

    /// Who has written in a conversation.
    package func writers(in conversation: ConversationID) -> Set<UserID> {
        state.withLock { Set($0.conversations[conversation]?.messages.map(\.sender) ?? []) }
    }

    /// From now on every operation fails like this, until nil is given.
    package func failOperations(with error: StoreError?) {
        state.withLock { $0.error = error }
    }

    /// Removes the events up to a position, as if all devices had been idle.
    package func truncateInbox(of user: UserID, upTo position: InboxSequence) {
        state.withLock { $0.users[user]?.remove(upTo: position) }
    }
}

struct InMemoryUser {
    var epoch: Epoch
    var head = InboxSequence.zero
    var truncated = InboxSequence.zero
    var events: [InboxEvent] = []

    mutating func append(_ body: InboxEvent.Body, of user: UserID) -> InboxEvent {
        head = head.next
        let event = InboxEvent(user: user, sequence: head, body: body)
        events.append(event)
        return event
    }

    mutating func remove(upTo position: InboxSequence) {
        guard position > truncated else { return }
        truncated = position
        events.removeAll { $0.sequence <= position }
    }
}

struct InMemoryDevice {
    let owner: UserID
    var cursor: InboxSequence
    var revoked: RevocationReason?
    var connections = ConnectionGeneration.first
    /// Not used for long: it holds nothing back.
    var isIdle = false

    var isActive: Bool { revoked == nil && !isIdle }
}

struct InMemoryConversation {
    struct Entry {
        let sender: UserID
        let message: StoredMessage
    }

    struct Member {
        var delivered = ConversationSequence.zero
        var read = ConversationSequence.zero
    }

    var messages: [Entry] = []
    var members: [UserID: Member]

    var last: ConversationSequence { ConversationSequence(rawValue: UInt64(messages.count)) }
}
