import NIOCore

extension RedisHandler {
    /// The commands that wait for their replies on one connection: one line, first in, first out.
    ///
    /// All commands have the same time to be answered, so the first in line is always the one whose deadline is the
    /// earliest: one timer is enough. A reply that is late condemns the connection, since everything behind it in line
    /// is late as well.
    struct StateMachine: ~Copyable {
        struct Pending {
            let completion: Completion
            let deadline: NIODeadline
            let cost: Int
        }

        enum SendAction: Equatable {
            case write
            /// Write, and wake up for the deadline.
            case writeAndArm
            case refuse(RedisError)
        }

        enum DeadlineAction: Equatable {
            case nothing
            case arm(NIODeadline)
            case close
        }

        private let maximumCount: Int
        private let maximumCost: Int
        private var pending = CircularBuffer<Pending>()
        private var cost = 0
        private var isArmed = false
        private var isClosed = false

        init(maximumCount: Int, maximumCost: Int) {
            self.maximumCount = maximumCount
            self.maximumCost = maximumCost
        }

        var count: Int { pending.count }

        /// - Parameter completions: one a reply that the command is answered with.
        mutating func sent(_ completions: [Completion], cost: Int, deadline: NIODeadline) -> SendAction {
            guard !isClosed else { return .refuse(.connectionLost) }
            guard pending.count + completions.count <= maximumCount, self.cost + cost <= maximumCost else {
                return .refuse(.overloaded)
            }
            for (index, completion) in completions.enumerated() {
                let share = index == completions.count - 1 ? cost : 0
                pending.append(Pending(completion: completion, deadline: deadline, cost: share))
            }
            self.cost += cost
            guard !isArmed else { return .write }
            isArmed = true
            return .writeAndArm
        }

        /// - Returns: what to do with the reply; nil where nobody asked for one.
        mutating func receivedReply() -> Completion? {
            guard let first = pending.popFirst() else { return nil }
            cost -= first.cost
            return first.completion
        }

        mutating func deadlineCame(now: NIODeadline) -> DeadlineAction {
            isArmed = false
            guard !isClosed, let first = pending.first else { return .nothing }
            guard first.deadline > now else { return .close }
            isArmed = true
            return .arm(first.deadline)
        }

        /// - Returns: the completions of all pending commands, oldest first. Each must be called with an error.
        mutating func closed() -> [Completion] {
            isClosed = true
            let waiting = pending.map(\.completion)
            pending.removeAll()
            cost = 0
            return waiting
        }
    }
}
