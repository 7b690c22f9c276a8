import BatonCore
import NIOCore

extension RedisLink {
    /// The states of one link until it is closed: connect, prepare, be ready, lose the connection, wait, connect again.
    ///
    /// A connection that does not last counts as a failed attempt, since Redis may accept a connection and close it at
    /// the first command.
    struct StateMachine: ~Copyable {
        private enum State {
            case idle
            case connecting
            /// Logging in, choosing the database, loading scripts.
            case preparing
            case ready(since: NIODeadline)
            case waiting
            case closed
        }

        enum LostAction: Equatable {
            case nothing
            /// Connect again after the backoff of this attempt, which is zero where the connection had lasted.
            case retry(attempt: Int, wasReady: Bool)
        }

        private var state = State.idle
        /// Attempts since a connection has lasted.
        private var attempts = 0

        var isReady: Bool { if case .ready = state { true } else { false } }

        /// - Returns: whether to connect.
        mutating func started() -> Bool {
            guard case .idle = state else { return false }
            attempts = 1
            state = .connecting
            return true
        }

        /// - Returns: whether to prepare the connection; otherwise it is of no use any more.
        mutating func connected() -> Bool {
            guard case .connecting = state else { return false }
            state = .preparing
            return true
        }

        /// - Returns: how many attempts it took, nil where the connection was lost meanwhile.
        mutating func prepared(now: NIODeadline) -> Int? {
            guard case .preparing = state else { return nil }
            state = .ready(since: now)
            return attempts
        }

        /// The connection could not be made, could not be prepared, or is gone.
        mutating func lost(now: NIODeadline) -> LostAction {
            switch state {
            case .connecting, .preparing:
                state = .waiting
                return .retry(attempt: attempts - 1, wasReady: false)
            case .ready(let since):
                state = .waiting
                if now - since >= .seconds(Limits.Redis.steadySeconds) { attempts = 0 }
                return .retry(attempt: attempts, wasReady: true)
            case .idle, .waiting, .closed:
                return .nothing
            }
        }

        /// - Returns: whether to connect.
        mutating func backoffEnded() -> Bool {
            guard case .waiting = state else { return false }
            attempts += 1
            state = .connecting
            return true
        }

        /// - Returns: whether it was ready.
        mutating func closed() -> Bool {
            let wasReady = isReady
            state = .closed
            return wasReady
        }
    }
}
