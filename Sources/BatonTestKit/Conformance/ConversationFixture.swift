package import BatonCore

/// A store with accounts and conversations, and the way in which messages come into it.
package protocol ConversationFixture: Sendable {
    var accounts: any AccountStore { get }
    var conversations: any ConversationStore { get }

    /// Stores a message in the direct conversation of two users.
    func send(
        _ payload: [UInt8], from sender: UserID, on device: DeviceID, to other: UserID, ref: String, at: Timestamp
    ) async throws -> MessageID

    /// Moves a member's read watermark.
    func read(
        _ conversation: ConversationID, by user: UserID, on device: DeviceID, upTo: ConversationSequence,
        at: Timestamp
    ) async throws
}

/// A store that implements all three ports: messages come in by `MessageStore`.
package struct StoreFixture: ConversationFixture {
    package let accounts: any AccountStore
    package let conversations: any ConversationStore
    package let messages: any MessageStore
    /// Lets the time pass after which devices are idle, and the store see to it.
    let passIdleTime: @Sendable () async throws -> Void

    package init(
        accounts: any AccountStore, conversations: any ConversationStore, messages: any MessageStore,
        passIdleTime: @escaping @Sendable () async throws -> Void
    ) {
        self.accounts = accounts
        self.conversations = conversations
        self.messages = messages
        self.passIdleTime = passIdleTime
    }

    package func send(
        _ payload: [UInt8], from sender: UserID, on device: DeviceID, to other: UserID, ref: String, at: Timestamp
    ) async throws -> MessageID {
        let request = SendRequest(
            sender: sender, device: device, ref: ref, target: .user(other), payload: payload, at: at)
        let outcome = await submit(.send(request))
        guard case .sent(let accepted) = outcome else {
            throw ConformanceFailure(description: "not sent: \(String(describing: outcome))")
        }
        return accepted.id
    }

    package func read(
        _ conversation: ConversationID, by user: UserID, on device: DeviceID, upTo: ConversationSequence,
        at: Timestamp
    ) async throws {
        let request = ReadRequest(user: user, device: device, conversation: conversation, sequence: upTo, at: at)
        let outcome = await submit(.read(request))
        guard case .markedRead = outcome else {
            throw ConformanceFailure(description: "not marked as read: \(String(describing: outcome))")
        }
    }

    private func submit(_ operation: StoreOperation) async -> StoreOutcome? {
        await withCheckedContinuation { continuation in
            messages.submit([operation]) { continuation.resume(returning: $0.first) }
        }
    }
}

/// The in-memory stores.
package struct InMemoryFixture: ConversationFixture {
    private let memory: InMemoryConversationStore
    package let accounts: any AccountStore
    package var conversations: any ConversationStore { memory }

    package init() {
        let accounts = InMemoryAccountStore()
        self.accounts = accounts
        memory = InMemoryConversationStore(accounts: accounts)
    }

    package func send(
        _ payload: [UInt8], from sender: UserID, on device: DeviceID, to other: UserID, ref: String, at: Timestamp
    ) async throws -> MessageID {
        try require(memory.send(payload, from: sender, to: other, at: at))
    }

    package func read(
        _ conversation: ConversationID, by user: UserID, on device: DeviceID, upTo: ConversationSequence,
        at: Timestamp
    ) async throws {
        memory.read(conversation, by: user, upTo: upTo)
    }
}
