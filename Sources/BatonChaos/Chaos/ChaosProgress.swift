package import BatonClient
package import BatonCore
import BatonHistory
import Synchronization

/// How far a run is: what was accepted and applied, and what is still to come. It decides when the run may end, and
/// feeds the line on the screen; the verdict is the checker's, from the histories alone.
package final class ChaosProgress: Sendable {
    /// Numbers for the screen and the report.
    package struct Counts: Sendable {
        package var invoked = 0
        package var settled = 0
        package var accepted = 0
        package var delivered = 0
        package var reconnects = 0
        package var faults = 0
        package var offline = 0
    }

    /// What a run waits for.
    package enum Goal: Sendable {
        /// All devices are connected.
        case connected
        /// And it is known of every message what became of it.
        case answered
        /// And every message is accepted and applied wherever it should be.
        case delivered
        /// And every sender knows what was delivered and read.
        case acknowledged
    }

    private struct Watermark {
        var wanted: UInt64 = 0
        var known: UInt64 = 0
        var isMissing: Bool { known < wanted }
    }

    private struct Watermarks {
        var delivered = Watermark()
        var read = Watermark()
        var missing: Int { (delivered.isMissing ? 1 : 0) + (read.isMissing ? 1 : 0) }
    }

    private struct State {
        var counts = Counts()
        var users: [UserID: [Int]] = [:]
        var offline: Set<Int> = []
        var wasOnline: Set<Int> = []
        /// Devices that have still to apply a message.
        var outstanding: [MessageID: (devices: Int, isAccepted: Bool)] = [:]
        /// Those of them that were accepted. Others, of which their sender never heard, need not arrive.
        var missing = 0
        var watermarks: [Int: [ConversationID: Watermarks]] = [:]
        var missingReceipts = 0
        /// The last message of others, for each user and conversation.
        var latest: [UserID: [ConversationID: ConversationSequence]] = [:]
        var waiter: AsyncStream<Void>.Continuation?

        func has(_ goal: Goal) -> Bool {
            switch goal {
            case .connected: offline.isEmpty
            case .answered: offline.isEmpty && counts.invoked == counts.settled
            case .delivered:
                offline.isEmpty && counts.invoked == counts.settled && missing == 0
            case .acknowledged: has(.delivered) && missingReceipts == 0
            }
        }
    }

    private let began: ContinuousClock.Instant
    private let state = Mutex(State())

    package init(began: ContinuousClock.Instant) { self.began = began }

    /// Nanoseconds on the histories' clock.
    package var now: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - began).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    package var counts: Counts {
        state.withLock { state in
            state.counts.offline = state.offline.count
            return state.counts
        }
    }

    /// The last message of others, for each conversation of a user.
    package func latest(of user: UserID) -> [ConversationID: ConversationSequence] {
        state.withLock { $0.latest[user] ?? [:] }
    }

    // MARK: What happens

    package func added(_ device: Int, of user: UserID) {
        change { state in
            state.users[user, default: []].append(device)
            state.offline.insert(device)
        }
    }

    package func faulted() { change { $0.counts.faults += 1 } }
    package func invoked() { change { $0.counts.invoked += 1 } }
    package func failed() { change { $0.counts.settled += 1 } }

    package func connection(of device: Int, isOnline: Bool) {
        change { state in
            guard isOnline else {
                state.offline.insert(device)
                return
            }
            guard state.offline.remove(device) != nil else { return }
            if !state.wasOnline.insert(device).inserted { state.counts.reconnects += 1 }
        }
    }

    package func accepted(_ id: MessageID, from user: UserID) {
        change { state in
            state.counts.settled += 1
            state.counts.accepted += 1
            touch(id, from: user, &state) { $0.isAccepted = true }
            for device in state.users[user] ?? [] {
                want(&state, device, id.conversation) {
                    $0.delivered.wanted = max($0.delivered.wanted, id.sequence.rawValue)
                }
            }
        }
    }

    package func applied(_ message: Message, by user: UserID, isOwn: Bool) {
        change { state in
            if message.sender != user {
                let known = state.latest[user]?[message.id.conversation] ?? .zero
                state.latest[user, default: [:]][message.id.conversation] = max(known, message.id.sequence)
            }
            guard !isOwn else { return }
            state.counts.delivered += 1
            touch(message.id, from: message.sender, &state) { $0.devices -= 1 }
        }
    }

    package func received(_ receipt: Receipt, on device: Int, of user: UserID) {
        // Of the user's own reads the other devices are told as well; nothing waits for that.
        guard receipt.user != user else { return }
        change { state in
            want(&state, device, receipt.conversation) { watermarks in
                watermarks.delivered.known = max(watermarks.delivered.known, receipt.delivered.rawValue)
                watermarks.read.known = max(watermarks.read.known, receipt.read.rawValue)
            }
        }
    }

    /// A user has told that they read so far, for the last time: the peer's devices are to learn it.
    package func readLast(_ conversation: ConversationID, _ sequence: ConversationSequence, by user: UserID) {
        guard let peer = conversation.peer(of: user) else { return }
        change { state in
            for device in state.users[peer] ?? [] {
                want(&state, device, conversation) { $0.read.wanted = max($0.read.wanted, sequence.rawValue) }
            }
        }
    }

    // MARK: Waiting

    /// Waits until the goal is reached.
    ///
    /// - Returns: false where it was not within the time, or the task was cancelled.
    package func reached(_ goal: Goal, within limit: Duration) async -> Bool {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0.waiter = continuation }
        continuation.yield()
        return await withTaskGroup(of: Bool?.self) { group in
            group.addTask {
                for await _ in stream where self.state.withLock({ $0.has(goal) }) { return true }
                return nil
            }
            group.addTask {
                try? await ContinuousClock().sleep(for: limit)
                return false
            }
            let first = await group.next()
            group.cancelAll()
            continuation.finish()
            return first.flatMap { $0 } ?? false
        }
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            state.waiter?.yield()
        }
    }

    // MARK: What is still to come

    private func touch(
        _ id: MessageID, from sender: UserID, _ state: inout State,
        _ body: (inout (devices: Int, isAccepted: Bool)) -> Void
    ) {
        let recipients = id.conversation.peer(of: sender).flatMap { state.users[$0]?.count } ?? 0
        let others = (state.users[sender]?.count ?? 1) - 1
        var entry = state.outstanding[id] ?? (recipients + others, false)
        if entry.isAccepted { state.missing -= 1 }
        body(&entry)
        let isDone = entry.isAccepted && entry.devices == 0
        state.outstanding[id] = isDone ? nil : entry
        if entry.isAccepted, !isDone { state.missing += 1 }
    }

    private func want(
        _ state: inout State, _ device: Int, _ conversation: ConversationID, _ body: (inout Watermarks) -> Void
    ) {
        var watermarks = state.watermarks[device]?[conversation] ?? Watermarks()
        let before = watermarks.missing
        body(&watermarks)
        state.watermarks[device, default: [:]][conversation] = watermarks
        state.missingReceipts += watermarks.missing - before
    }
}
