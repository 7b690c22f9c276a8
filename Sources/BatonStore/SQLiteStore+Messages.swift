public import BatonCore
import GRDB

extension SQLiteStore: MessageStore {
    public func submit(_ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome]) -> Void) {
        submitStamped(operations) { outcomes, _ in completion(outcomes) }
    }

    public func submitStamped(
        _ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome], CommitStamp?) -> Void
    ) {
        guard !operations.isEmpty else {
            completion([], nil)
            return
        }
        do {
            try writes.put(.operations(operations, completion: completion))
        } catch {
            if error == .full { observer.overloaded(operations: operations.count) }
            let outcome = StoreOutcome.failed(error.storeError)
            completion(operations.map { _ in outcome }, nil)
        }
    }

    public func readInbox(
        of user: UserID, after position: InboxSequence, limit: Int, bytes: Int,
        completion: @escaping @Sendable (Result<InboxPage, StoreError>) -> Void
    ) {
        reads.put(
            ReadPool.Job(
                run: { connection throws in
                    completion(
                        .success(
                            try connection.inboxPage(of: user, after: position, limit: limit, bytes: bytes)))
                }, fail: { completion(.failure($0)) }))
    }

    public func inboxHeads(
        of users: [UserID],
        completion: @escaping @Sendable (Result<[UserID: InboxSequence], StoreError>) -> Void
    ) {
        reads.put(
            ReadPool.Job(
                run: { connection throws in
                    var heads: [UserID: InboxSequence] = [:]
                    heads.reserveCapacity(users.count)
                    for user in users { heads[user] = try connection.inboxHead(of: user) }
                    completion(.success(heads))
                }, fail: { completion(.failure($0)) }))
    }

    public func revokedDevices(
        among devices: [DeviceID],
        completion: @escaping @Sendable (Result<Set<DeviceID>, StoreError>) -> Void
    ) {
        reads.put(
            ReadPool.Job(
                run: { connection throws in
                    var revoked: Set<DeviceID> = []
                    for device in devices where try connection.isRevoked(device) { revoked.insert(device) }
                    completion(.success(revoked))
                }, fail: { completion(.failure($0)) }))
    }

    public func openInbox(
        of user: UserID, device: DeviceID,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void
    ) {
        reads.put(
            ReadPool.Job(
                run: { [self] connection throws in
                    guard let opened = try connection.inboxState(of: user, device: device) else {
                        completion(.success(nil))
                        return
                    }
                    let now = clock.now.milliseconds
                    if opened.isIdle {
                        // It must hold its events back again before it is told where it stands.
                        reactivate(opened, at: now, completion: completion)
                    } else {
                        if now - opened.lastUsed > Self.touchMilliseconds { touch(opened, at: now) }
                        completion(.success(opened.state))
                    }
                }, fail: { completion(.failure($0)) }))
    }

    /// A device's use is written down once a day: it matters after 45.
    private static let touchMilliseconds: Int64 = 86_400_000

    private func touch(_ opened: OpenedInbox, at now: Int64) {
        let job = WriteJob(
            run: { db throws in
                try db.execute(
                    sql: "UPDATE cursors SET last_used = ? WHERE device = ?", arguments: [now, opened.device])
                return {}
            }, fail: { _ in })
        // Where there is no room, the next opening tries again.
        try? writes.put(.job(job))
    }

    private func reactivate(
        _ opened: OpenedInbox, at now: Int64,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void
    ) {
        let job = WriteJob(
            run: { db throws in
                let state = try Devices.reactivate(opened.device, at: now, in: db)
                return { completion(.success(state)) }
            }, fail: { completion(.failure($0)) })
        do { try writes.put(.job(job)) } catch { completion(.failure(error.storeError)) }
    }
}

extension WriteQueue.Refusal {
    var storeError: StoreError {
        switch self {
        case .full: .overloaded
        case .closed: .closed
        }
    }
}
