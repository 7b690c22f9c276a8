import BatonCore
import BatonTestKit
import Synchronization

/// A store in memory whose answers a test may hold back or let fail.
final class GatedMessageStore: MessageStore {
    struct State {
        var holdsCommits = false
        var holdsReads = false
        var readError: StoreError?
        var commits: [@Sendable () -> Void] = []
        var reads: [@Sendable () -> Void] = []
        var submissions = 0
        var pagesRead = 0
        var looks = 0
    }

    let inner = InMemoryMessageStore()
    private let state = Mutex(State())

    var heldReads: Int { state.withLock { $0.reads.count } }
    var submissions: Int { state.withLock { $0.submissions } }
    var pagesRead: Int { state.withLock { $0.pagesRead } }
    /// Questions about the newest connections of devices.
    var looks: Int { state.withLock { $0.looks } }

    func holdCommits() { state.withLock { $0.holdsCommits = true } }
    func holdReads() { state.withLock { $0.holdsReads = true } }
    func failReads(with error: StoreError?) { state.withLock { $0.readError = error } }

    /// Answers the first of the commits that are held, or all and those that follow.
    func releaseCommits() {
        take { state in
            state.holdsCommits = false
            defer { state.commits = [] }
            return state.commits
        }
    }

    func releaseReads(_ count: Int = .max) {
        take { state in
            if count == .max { state.holdsReads = false }
            defer { state.reads.removeFirst(min(count, state.reads.count)) }
            return Array(state.reads.prefix(count))
        }
    }

    private func take(_ change: (inout State) -> [@Sendable () -> Void]) {
        for answer in state.withLock({ change(&$0) }) { answer() }
    }

    func submit(_ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome]) -> Void) {
        let answer: @Sendable () -> Void = { [inner] in
            Allocations.uncounted {
                inner.submit(operations) { outcomes in Allocations.resumed { completion(outcomes) } }
            }
        }
        let isHeld = state.withLock { state in
            state.submissions += 1
            if state.holdsCommits { state.commits.append(answer) }
            return state.holdsCommits
        }
        if !isHeld { answer() }
    }

    func readInbox(
        of user: UserID, after position: InboxSequence, limit: Int, bytes: Int,
        completion: @escaping @Sendable (Result<InboxPage, StoreError>) -> Void
    ) {
        state.withLock { $0.pagesRead += 1 }
        read(completion) { [inner] in
            Allocations.uncounted {
                inner.readInbox(of: user, after: position, limit: limit, bytes: bytes) { page in
                    Allocations.resumed { completion(page) }
                }
            }
        }
    }

    func inboxState(
        of user: UserID, device: DeviceID,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void
    ) {
        read(completion) { [inner] in inner.inboxState(of: user, device: device, completion: completion) }
    }

    func inboxHeads(
        of users: [UserID],
        completion: @escaping @Sendable (Result<[UserID: InboxSequence], StoreError>) -> Void
    ) {
        inner.inboxHeads(of: users, completion: completion)
    }

    func newestConnections(
        of devices: [DeviceID],
        completion: @escaping @Sendable (Result<[DeviceID: ConnectionGeneration], StoreError>) -> Void
    ) {
        state.withLock { $0.looks += 1 }
        read(completion) { [inner] in inner.newestConnections(of: devices, completion: completion) }
    }

    private func read<Value>(
        _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void, _ answer: @escaping @Sendable () -> Void
    ) {
        let (isHeld, error) = state.withLock { state in
            if state.holdsReads { state.reads.append(answer) }
            return (state.holdsReads, state.readError)
        }
        if isHeld { return }
        if let error { completion(.failure(error)) } else { answer() }
    }
}
