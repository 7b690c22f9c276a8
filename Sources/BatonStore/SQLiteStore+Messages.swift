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

    public func newestConnections(
        of devices: [DeviceID],
        completion: @escaping @Sendable (Result<[DeviceID: ConnectionGeneration], StoreError>) -> Void
    ) {
        reads.put(
            ReadPool.Job(
                run: { connection throws in
                    var newest: [DeviceID: ConnectionGeneration] = [:]
                    newest.reserveCapacity(devices.count)
                    for device in devices { newest[device] = try connection.newestConnection(of: device) }
                    completion(.success(newest))
                }, fail: { completion(.failure($0)) }))
    }

    public func inboxState(
        of user: UserID, device: DeviceID,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void
    ) {
        reads.put(
            ReadPool.Job(
                run: { connection throws in
                    completion(try connection.inboxState(of: user, device: device))
                }, fail: { completion(.failure($0)) }))
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
