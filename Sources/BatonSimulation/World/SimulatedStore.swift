import BatonCore
import BatonTestKit
import NIOCore
import Synchronization

/// One node's way to the disk: its queue and group commit, which die with it.
final class SimulatedStore: MessageStore {
    private let writer: NIOLoopBound<Writer>

    init(_ world: SimulatedWorld, disk: SimulatedDisk, node: String) {
        writer = NIOLoopBound(Writer(world, disk, node), eventLoop: world.eventLoop)
    }

    #if DEBUG
        func plant(_ bug: PlantedBug?) { writer.value.plantedBug = bug }
    #endif

    /// Called where new messages come to a point on their way to the disk.
    func onPassed(_ body: @escaping (SimulatedPoint) -> Void) { writer.value.onPassed = body }

    /// The process is gone: what was not committed never will be, and no completion is called.
    func die() { writer.value.die() }

    /// The process stands still, its writer too: whatever lock it holds it keeps.
    func standStill() { writer.value.standStill() }

    func goOn() { writer.value.goOn() }

    func submit(_ operations: [StoreOperation], completion: @escaping @Sendable ([StoreOutcome]) -> Void) {
        writer.value.submit(operations, completion)
    }

    func readInbox(
        of user: UserID, after position: InboxSequence, limit: Int, bytes: Int,
        completion: @escaping @Sendable (Result<InboxPage, StoreError>) -> Void
    ) {
        writer.value.read(completion) { messages, answer in
            messages.readInbox(of: user, after: position, limit: limit, bytes: bytes, completion: answer)
        }
    }

    func inboxState(
        of user: UserID, device: DeviceID,
        completion: @escaping @Sendable (Result<InboxState?, StoreError>) -> Void
    ) {
        writer.value.read(completion) { messages, answer in
            messages.inboxState(of: user, device: device, completion: answer)
        }
    }

    func inboxHeads(
        of users: [UserID],
        completion: @escaping @Sendable (Result<[UserID: InboxSequence], StoreError>) -> Void
    ) {
        writer.value.read(completion) { messages, answer in
            messages.inboxHeads(of: users, completion: answer)
        }
    }

    func newestConnections(
        of devices: [DeviceID],
        completion: @escaping @Sendable (Result<[DeviceID: ConnectionGeneration], StoreError>) -> Void
    ) {
        writer.value.read(completion) { messages, answer in
            messages.newestConnections(of: devices, completion: answer)
        }
    }
}

/// What a synchronous store answers.
final class Answer<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}

extension SimulatedStore {
    /// The state of a store, on the world's loop.
    final class Writer {
        struct Work {
            let operations: [StoreOperation]
            let completion: @Sendable ([StoreOutcome]) -> Void
            var outcomes: [StoreOutcome] = []

            var hasSends: Bool {
                operations.contains { operation in
                    if case .send = operation { true } else { false }
                }
            }
        }

        var onPassed: (SimulatedPoint) -> Void = { _ in }
        private var isDead = false
        private var isStill = false
        /// What is to be done when the process goes on.
        private var held: [() -> Void] = []
        #if DEBUG
            var plantedBug: PlantedBug?
        #endif
        private let world: SimulatedWorld
        private let disk: SimulatedDisk
        private let node: String
        private var queue: [Work] = []
        private var queued = 0
        private var commits = GroupCommit<Work>()
        private var isRunning = false
        /// The transaction under way holds new messages.
        private var hasSends = false

        init(_ world: SimulatedWorld, _ disk: SimulatedDisk, _ node: String) {
            self.world = world
            self.disk = disk
            self.node = node
        }

        /// Its locks are the kernel's, which gives them back.
        func die() {
            isDead = true
            goOn()
        }

        func standStill() { isStill = true }

        func goOn() {
            isStill = false
            let bodies = held
            held = []
            for body in bodies { body() }
        }

        private func whenItGoesOn(_ body: @escaping () -> Void) {
            if isStill { held.append(body) } else { body() }
        }

        func submit(_ operations: [StoreOperation], _ completion: @escaping @Sendable ([StoreOutcome]) -> Void) {
            guard !isDead else { return }
            guard queued + operations.count <= Limits.Store.queuedOperations else {
                completion(operations.map { _ in .failed(.overloaded) })
                return
            }
            queued += operations.count
            let work = Work(operations: operations, completion: completion)
            queue.append(work)
            if work.hasSends { onPassed(.handedOver) }
            run()
        }

        /// As the writer's thread: one transaction after another while there is work.
        private func run() {
            guard !isRunning, !isDead, !queue.isEmpty || !commits.isEmpty else { return }
            isRunning = true
            whenItGoesOn { [self] in
                disk.enter { [self] in
                    whenItGoesOn { [self] in begin() }
                }
            }
        }

        private func begin() {
            guard !isDead else { return disk.leave() }
            #if DEBUG
                answerEarly()
            #endif
            hasSends = queue.contains(where: \.hasSends)
            for work in queue { commits.arrived(work, operations: work.operations.count) }
            queue = []
            commits.began()
            if hasSends { onPassed(.committing) }
            world.after(disk.delay()) { [self] in
                whenItGoesOn { [self] in ended() }
            }
        }

        private func ended() {
            // A process that died in its transaction is rolled back, and its lock released, by the kernel.
            guard !isDead else { return disk.leave() }
            let weather = disk.weather
            let error = StoreError.unavailable("the disk fails")
            switch weather {
            case .fine:
                carryOut()
                if hasSends { onPassed(.committed) }
                answer(commits.committed())
            case .failingLate:
                carryOut()
                fail(commits.failed(), error)
            case .failing: fail(skip(), error)
            case .full: fail(skip(), .diskFull)
            }
            disk.leave()
            isRunning = false
            run()
        }

        private func carryOut() {
            while let range = commits.next() {
                let answer = Answer<[StoreOutcome]>()
                disk.messages.submit(operations(range)) { outcomes in
                    answer.value.withLock { $0 = outcomes }
                }
                commits.current.outcomes += answer.value.withLock { $0 } ?? []
            }
            world.note(node, "committed \(commits.taken) operations")
        }

        private func operations(_ range: Range<Int>) -> [StoreOperation] {
            let operations = Array(commits.current.operations[range])
            #if DEBUG
                if plantedBug == .forgetIdempotence { return operations.map(forgetful) }
            #endif
            return operations
        }

        #if DEBUG
            /// Planted: a ref that is never the same.
            private func forgetful(_ operation: StoreOperation) -> StoreOperation {
                guard case .send(let send) = operation else { return operation }
                return .send(
                    SendRequest(
                        sender: send.sender, device: send.device, ref: "\(send.ref) \(world.now)", target: send.target,
                        payload: send.payload, at: send.at))
            }

            /// Planted: answers what the disk would say, before it is asked; the answers come once more after it.
            private func answerEarly() {
                guard plantedBug == .ackBeforeCommit || plantedBug == .publishBeforeCommit else { return }
                let rehearsal = disk.messages.copy()
                for work in queue {
                    let answer = Answer<[StoreOutcome]>()
                    rehearsal.submit(work.operations) { outcomes in answer.value.withLock { $0 = outcomes } }
                    let outcomes = answer.value.withLock { $0 } ?? []
                    world.after(.microseconds(50)) { [self] in
                        if !isDead { work.completion(outcomes) }
                    }
                }
            }
        #endif

        /// The transaction is filled and rolled back.
        private func skip() -> [Work] {
            while commits.next() != nil {}
            return commits.failed()
        }

        private func answer(_ done: [Work]) {
            for work in done { finish(work, work.outcomes) }
        }

        private func fail(_ failed: [Work], _ error: StoreError) {
            world.note(node, "a commit failed: \(error)")
            for work in failed { finish(work, work.operations.map { _ in .failed(error) }) }
        }

        private func finish(_ work: Work, _ outcomes: [StoreOutcome]) {
            queued -= work.operations.count
            world.after(.microseconds(50)) { [self] in
                if !isDead { work.completion(outcomes) }
            }
        }

        func read<Value: Sendable>(
            _ completion: @escaping @Sendable (Result<Value, StoreError>) -> Void,
            _ body:
                @escaping (
                    any MessageStore, @escaping @Sendable (Result<Value, StoreError>) -> Void
                ) -> Void
        ) {
            // The snapshot is taken somewhere on the way, the answer comes later.
            world.after(world.microseconds(20...500)) { [self] in
                guard !isDead else { return }
                let answer = Answer<Result<Value, StoreError>>()
                if world.happens(disk.readFailures) {
                    answer.value.withLock { $0 = .failure(.unavailable("the disk fails")) }
                } else {
                    body(disk.messages) { result in answer.value.withLock { $0 = result } }
                }
                world.after(world.microseconds(20...1_000)) { [self] in
                    guard !isDead, let result = answer.value.withLock({ $0 }) else { return }
                    completion(result)
                }
            }
        }
    }
}

@available(*, unavailable) extension SimulatedStore.Writer: Sendable {}
