package import BatonCore

/// A message store with the users and devices that a test wants, whichever engine it is.
package protocol MessageFixture: Sendable {
    var messages: any MessageStore { get }

    func addUser(_ user: UserID) async throws
    func addDevice(_ device: DeviceID, of user: UserID) async throws
    func revoke(_ device: DeviceID, of user: UserID) async throws
    func setBlock(of other: UserID, by user: UserID, isBlocked: Bool) async throws
    /// From now on all devices are idle: the time passes after which an unused one is.
    func idleDevices() async throws
    /// Messages of others behind the user's read watermark.
    func unread(of user: UserID, in conversation: ConversationID) async throws -> Int
}

extension MessageStore {
    /// Submits and waits for the outcomes.
    package func perform(_ operations: [StoreOperation]) async -> [StoreOutcome] {
        await withCheckedContinuation { continuation in
            submit(operations) { continuation.resume(returning: $0) }
        }
    }

    package func perform(_ operation: StoreOperation) async -> StoreOutcome {
        await perform([operation]).first ?? .failed(.unavailable("No outcome came"))
    }

    package func inbox(
        of user: UserID, after position: UInt64 = 0, limit: Int = 1_000, bytes: Int = .max
    ) async throws(StoreError) -> InboxPage {
        let result: Result<InboxPage, StoreError> = await withCheckedContinuation { continuation in
            readInbox(of: user, after: InboxSequence(rawValue: position), limit: limit, bytes: bytes) {
                continuation.resume(returning: $0)
            }
        }
        return try result.get()
    }

    package func state(of user: UserID, device: DeviceID) async throws(StoreError) -> InboxState? {
        let result: Result<InboxState?, StoreError> = await withCheckedContinuation { continuation in
            inboxState(of: user, device: device) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    package func heads(of users: [UserID]) async throws(StoreError) -> [UserID: InboxSequence] {
        let result: Result<[UserID: InboxSequence], StoreError> = await withCheckedContinuation { continuation in
            inboxHeads(of: users) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    package func newest(of devices: [DeviceID]) async throws(StoreError) -> [DeviceID: ConnectionGeneration] {
        let result: Result<[DeviceID: ConnectionGeneration], StoreError> = await withCheckedContinuation {
            continuation in
            newestConnections(of: devices) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}

extension StoreFixture: MessageFixture {
    package func addUser(_ user: UserID) async throws {
        _ = try await accounts.createUser(
            NewUser(
                id: user, handle: "user\(user)", displayName: "User", passwordHash: "", phone: nil, email: nil,
                createdAt: Self.start))
    }

    package func addDevice(_ device: DeviceID, of user: UserID) async throws {
        var hash = [UInt8](repeating: 0, count: 24)
        withUnsafeBytes(of: device.rawValue) { hash += $0 }
        let token = NewRefreshToken(hash: hash, expiresAt: Self.start.advanced(byMilliseconds: 3_600_000))
        _ = try await accounts.createDevice(
            NewDevice(id: device, user: user, name: "Phone", platform: "test", createdAt: Self.start),
            refreshToken: token)
    }

    package func revoke(_ device: DeviceID, of user: UserID) async throws {
        _ = try await accounts.revokeDevice(device, of: user, at: Self.start)
    }

    package func setBlock(of other: UserID, by user: UserID, isBlocked: Bool) async throws {
        if isBlocked {
            try await accounts.block(other, by: user)
        } else {
            try await accounts.unblock(other, by: user)
        }
    }

    package func idleDevices() async throws { try await passIdleTime() }

    package func unread(of user: UserID, in conversation: ConversationID) async throws -> Int {
        try await conversations.conversation(conversation, of: user)?.unread ?? 0
    }

    private static let start = Timestamp(milliseconds: 1_767_225_600_000)
}
