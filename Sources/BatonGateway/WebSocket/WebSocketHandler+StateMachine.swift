import BatonCore
import BatonProtocol
import NIOCore

extension WebSocketHandler {
    /// How far a connection is in its life, what it owes, and whether it may read.
    ///
    /// ```
    /// open --- we close ------------> closing --- their close ---> ending
    ///   |------ they close ---------------------------------------> ending
    ///   |------ violation ----------------------------------------> ending
    /// any ----- overflow, deadline, end of the socket ------------> closed
    /// ```
    /// In `ending` our last frame is on its way and whatever still comes is thrown away.
    struct StateMachine: ~Copyable {
        private enum State {
            case open
            case closing
            case ending
            case closed
        }

        private var state = State.open
        private var isReadHeld = false
        /// The latest ping that came while nothing could be written. Earlier ones need no answer (RFC 6455, 5.5.3).
        private var owedPong: ByteBuffer?
        private var controlFrames: Int = 0
        private var controlWindowStart: NIODeadline?

        init() {}

        var isOpen: Bool { state == .open }

        /// Whether what arrives is looked at.
        var isReceiving: Bool { state == .open || state == .closing }

        // MARK: What the peer sends

        enum PingAction: Equatable {
            case pong
            case ignore
            case violated(WebSocketViolation)
        }

        mutating func receivedPing(_ payload: ByteBuffer, at now: NIODeadline, isWritable: Bool) -> PingAction {
            guard state == .open else { return .ignore }
            guard admitsControlFrame(at: now) else { return .violated(.tooManyControlFrames) }
            guard isWritable else {
                owedPong = payload
                return .ignore
            }
            return .pong
        }

        mutating func receivedPong(at now: NIODeadline) -> PingAction {
            guard state == .open else { return .ignore }
            return admitsControlFrame(at: now) ? .ignore : .violated(.tooManyControlFrames)
        }

        enum CloseAction: Equatable {
            /// Answer with the same code, then close the socket.
            case answerAndDisconnect(UInt16?)
            case disconnect
            case ignore
        }

        mutating func receivedClose(_ code: UInt16?) -> CloseAction {
            switch state {
            case .open:
                state = .ending
                return .answerAndDisconnect(code)
            case .closing:
                state = .ending
                return .disconnect
            case .ending, .closed:
                return .ignore
            }
        }

        enum ViolationAction: Equatable {
            /// Say why, say no more, and wait for the peer to hang up.
            case closeAndLinger(WebSocketViolation)
            case disconnect
            case ignore
        }

        mutating func violated(_ violation: WebSocketViolation) -> ViolationAction {
            switch state {
            case .open:
                state = .ending
                return .closeAndLinger(violation)
            case .closing:
                state = .ending
                return .disconnect
            case .ending, .closed:
                return .ignore
            }
        }

        // MARK: What we send

        /// - Returns: whether the close frame is to be sent.
        mutating func closeRequested() -> Bool {
            guard state == .open else { return false }
            state = .closing
            return true
        }

        /// More waits for the peer than is allowed.
        ///
        /// - Returns: whether the socket is to be closed.
        mutating func overflowed() -> Bool {
            guard state == .open else { return false }
            state = .ending
            return true
        }

        // MARK: The socket

        /// - Returns: whether to read now; otherwise it is held until there is room.
        mutating func readRequested(isWritable: Bool) -> Bool {
            // While closing everything is read, because only the peer's close frame or its end is waited for.
            guard state == .open, !isWritable else { return true }
            isReadHeld = true
            return false
        }

        struct WritableAction: Equatable {
            var pong: ByteBuffer?
            var read: Bool
        }

        mutating func becameWritable() -> WritableAction {
            let action = WritableAction(pong: state == .open ? owedPong : nil, read: isReadHeld)
            owedPong = nil
            isReadHeld = false
            return action
        }

        /// - Returns: whether a read was held back that is due now.
        mutating func stoppedWaitingForRoom() -> Bool {
            owedPong = nil
            defer { isReadHeld = false }
            return isReadHeld
        }

        /// - Returns: whether the socket is still there to be closed.
        mutating func deadlinePassed() -> Bool {
            guard state != .closed else { return false }
            state = .closed
            return true
        }

        mutating func socketClosed() {
            state = .closed
            owedPong = nil
        }

        private mutating func admitsControlFrame(at now: NIODeadline) -> Bool {
            if let start = controlWindowStart, now - start < .seconds(1) {
                controlFrames += 1
            } else {
                controlWindowStart = now
                controlFrames = 1
            }
            return controlFrames <= Limits.Connection.controlFramesPerSecond
        }
    }
}
