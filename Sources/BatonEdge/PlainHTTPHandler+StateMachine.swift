import BatonCore
package import NIOCore

extension PlainHTTPHandler {
    /// How long each part of an exchange may take.
    package struct Times: Sendable {
        /// From an answer to the head of the next request.
        package var idle: TimeAmount
        /// From a request's head to its end.
        package var request: TimeAmount
        /// For an answer to leave, and a second more for each so many of its bytes.
        package var answer: TimeAmount
        package var answerBytesPerSecond: Int64
        /// For the client to close after us.
        package var close: TimeAmount

        package init(
            idle: TimeAmount = .seconds(Limits.Connection.plainIdleSeconds),
            request: TimeAmount = .seconds(Limits.Connection.requestSeconds),
            answer: TimeAmount = .seconds(Limits.Connection.answerSeconds),
            answerBytesPerSecond: Int64 = Limits.Connection.answerBytesPerSecond,
            close: TimeAmount = .seconds(Limits.Connection.closeSeconds)
        ) {
            self.idle = idle
            self.request = request
            self.answer = answer
            self.answerBytesPerSecond = answerBytesPerSecond
            self.close = close
        }
    }

    /// One exchange after the other: the next begins when the request is complete and the last byte of its answer was
    /// taken by the kernel. So a connection owes one answer at most.
    package struct StateMachine {
        private struct Exchange {
            let began: NIODeadline
            /// The connection ends with it.
            var isLast: Bool
            var bodyBytes = 0
            var isReceived = false
            var answerBegan: NIODeadline?
            var answerBytes = 0
            var isAnswered = false
            var isTaken = false
        }

        private enum State {
            case idle(since: NIODeadline)
            case exchange(Exchange)
            /// Our direction is closed; what the client still sends is not looked at.
            case closing(since: NIODeadline)
        }

        private let times: Times
        private var state: State
        private var isQuiescing = false

        package init(times: Times, now: NIODeadline) {
            self.times = times
            state = .idle(since: now)
        }

        // MARK: Requests

        /// The request is complete and its answer is not: what comes is kept back, and nothing more is read.
        package var holdsBack: Bool {
            guard case .exchange(let exchange) = state else { return false }
            return exchange.isReceived
        }

        package var isClosing: Bool {
            guard case .closing = state else { return false }
            return true
        }

        /// A head came that is good.
        ///
        /// - Parameter isLast: whether the connection ends with this request.
        package mutating func began(isLast: Bool, now: NIODeadline) {
            state = .exchange(Exchange(began: now, isLast: isLast || isQuiescing))
        }

        package enum BodyAction: Hashable, Sendable {
            case pass
            /// The answer is out; nobody wants the rest.
            case drop
            /// Nor so much of it.
            case close
        }

        package mutating func receivedBody(bytes: Int) -> BodyAction {
            guard case .exchange(var exchange) = state else { return .drop }
            exchange.bodyBytes += bytes
            state = .exchange(exchange)
            guard exchange.isAnswered else { return .pass }
            return exchange.isTaken && exchange.bodyBytes > Limits.Frame.requestBodyBytes ? .close : .drop
        }

        package mutating func receivedEnd() {
            guard case .exchange(var exchange) = state else { return }
            exchange.isReceived = true
            state = .exchange(exchange)
        }

        // MARK: Answers

        package enum AnswerAction: Hashable, Sendable {
            /// - Parameter isLast: whether the client is to be told that the connection ends.
            case pass(isLast: Bool)
            /// Nobody is there to hear it.
            case fail
        }

        package mutating func beganAnswer(bytes: Int, now: NIODeadline) -> AnswerAction {
            guard case .exchange(var exchange) = state else { return .fail }
            exchange.answerBegan = exchange.answerBegan ?? now
            exchange.answerBytes += bytes
            state = .exchange(exchange)
            return .pass(isLast: exchange.isLast)
        }

        package mutating func endedAnswer() -> AnswerAction {
            guard case .exchange(var exchange) = state else { return .fail }
            exchange.isAnswered = true
            state = .exchange(exchange)
            return .pass(isLast: exchange.isLast)
        }

        /// The kernel has the answer's last byte.
        package mutating func answerTaken() {
            guard case .exchange(var exchange) = state else { return }
            exchange.isTaken = true
            state = .exchange(exchange)
        }

        package enum NextAction: Hashable, Sendable {
            case nothing
            /// The exchange is over; the next may begin.
            case proceed
            /// The exchange is over, and was the last.
            case close
        }

        /// Looks whether an exchange is over.
        package mutating func next(now: NIODeadline) -> NextAction {
            guard case .exchange(let exchange) = state, exchange.isTaken, exchange.isReceived || exchange.isLast else {
                return .nothing
            }
            state = .idle(since: now)
            return exchange.isLast ? .close : .proceed
        }

        // MARK: Ends

        /// Whether an error can still be told: no byte of another answer to this request is out.
        package var canRefuse: Bool {
            switch state {
            case .idle: true
            case .exchange(let exchange): exchange.answerBegan == nil
            case .closing: false
            }
        }

        package mutating func closing(now: NIODeadline) { state = .closing(since: now) }

        /// The router's side has said all it had to say.
        ///
        /// - Returns: whether our direction may be closed now; else it is when the answer has left.
        package mutating func finished() -> Bool {
            guard case .exchange(var exchange) = state else { return true }
            exchange.isLast = true
            state = .exchange(exchange)
            return false
        }

        /// The node stops.
        ///
        /// - Returns: whether nothing is under way.
        package mutating func quiesce() -> Bool {
            isQuiescing = true
            switch state {
            case .idle: return true
            case .exchange(var exchange):
                exchange.isLast = true
                state = .exchange(exchange)
                return false
            case .closing: return false
            }
        }

        /// When something has taken too long; nil where all that is missing is ours.
        package var deadline: NIODeadline? {
            switch state {
            case .idle(let since): return since + times.idle
            case .closing(let since): return since + times.close
            case .exchange(let exchange):
                var deadline = exchange.isReceived ? nil : exchange.began + times.request
                if let began = exchange.answerBegan, !exchange.isTaken {
                    let length = Int64(exchange.answerBytes) * 1_000_000_000 / times.answerBytesPerSecond
                    let end = began + times.answer + .nanoseconds(length)
                    deadline = min(deadline ?? end, end)
                }
                return deadline
            }
        }

        package enum DeadlineAction: Hashable, Sendable {
            case wait
            /// The request did not come in time, and the client is told so.
            case refuse
            /// The answer was not taken in time.
            case abandon
            case close
        }

        package func deadlinePassed(now: NIODeadline) -> DeadlineAction {
            guard let deadline, now >= deadline else { return .wait }
            guard case .exchange(let exchange) = state else { return .close }
            if exchange.answerBegan == nil { return .refuse }
            return exchange.isTaken ? .close : .abandon
        }
    }
}
