import BatonCore
package import BatonGateway
import DequeModule
package import NIOCore
package import NIOHTTP1

/// A connection of plain requests, between the parser and the router.
///
/// It is responsible for
/// 1. what a request must be (`CheckedRequest`), and the answer where it is not that;
/// 2. one request at a time, in their order: what a client sends ahead waits, and nothing more is read;
/// 3. the deadlines of a request's head, of its body and of an answer that nobody takes;
/// 4. `100 Continue`;
/// 5. who asks (`CurrentClient`); what was said of that in `X-Forwarded-For` goes no further;
/// 6. the connection's end: after an answer whose request ends the connection, after a refusal, and when the node stops.
package final class PlainHTTPHandler: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    /// What the handler asks of the connection's owner, and tells it.
    package struct Actions {
        /// Whether a request of this address is taken now; the reason where it is not.
        package var ask: (_ address: String, _ isReserved: Bool) -> HandshakeRefusal?
        /// The last answer has left.
        package var answered: () -> Void
        /// A request is refused here, for whatever reason.
        package var refused: (HandshakeRefusal) -> Void
        /// An answer was not taken in time.
        package var abandoned: () -> Void

        package init(
            ask: @escaping (_ address: String, _ isReserved: Bool) -> HandshakeRefusal?,
            answered: @escaping () -> Void, refused: @escaping (HandshakeRefusal) -> Void,
            abandoned: @escaping () -> Void
        ) {
            self.ask = ask
            self.answered = answered
            self.refused = refused
            self.abandoned = abandoned
        }
    }

    private enum Received {
        case part(HTTPServerRequestPart)
        case failure(HandshakeRefusal)
        /// The client sends no more, and may still read.
        case inputClosed
    }

    private let proxies: TrustedProxies
    private let client: CurrentClient
    private let actions: Actions
    private let times: Times
    private var machine: StateMachine
    /// What came while an answer was owed: what one read of the socket gave at most.
    private var held: Deque<Received> = []
    private var isReadHeld = false
    private var timer: (task: Scheduled<Void>, deadline: NIODeadline)?
    private var context: ChannelHandlerContext?

    init(proxies: TrustedProxies, client: CurrentClient, times: Times, actions: Actions, now: NIODeadline) {
        self.proxies = proxies
        self.client = client
        self.times = times
        self.actions = actions
        machine = StateMachine(times: times, now: now)
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        arm()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { end() }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent:
            if machine.quiesce() { context.close(promise: nil) }
        case ChannelEvent.inputClosed as ChannelEvent:
            receive(.inputClosed)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let refusal = HandshakeRefusal(parsing: error) {
            receive(.failure(refusal))
        } else {
            // The socket broke.
            context.close(promise: nil)
        }
    }

    // MARK: Requests

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        receive(.part(Self.unwrapInboundIn(data)))
    }

    package func read(context: ChannelHandlerContext) {
        if machine.holdsBack {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Those behind, who read no more, would not hear that the client closes.
        if machine.isClosing { context.read() }
    }

    private func receive(_ received: Received) {
        if machine.isClosing {
            if case .inputClosed = received { context?.close(promise: nil) }
        } else if machine.holdsBack || !held.isEmpty {
            held.append(received)
        } else {
            take(received)
        }
    }

    private func take(_ received: Received) {
        guard let context else { return }
        switch received {
        case .part(.head(let head)): begin(head, context)
        case .part(.body(let body)):
            switch machine.receivedBody(bytes: body.readableBytes) {
            case .pass: context.fireChannelRead(Self.wrapInboundOut(.body(body)))
            case .drop: break
            case .close: closeOutput(context)
            }
        case .part(.end(let trailers)):
            machine.receivedEnd()
            context.fireChannelRead(Self.wrapInboundOut(.end(trailers)))
            arm()
            proceed(context)
        case .failure(let refusal): refuse(refusal)
        case .inputClosed: context.close(promise: nil)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        do throws(HandshakeRefusal) {
            let request = try CheckedRequest(head)
            var head = request.head
            let client = proxies.client(context.channel, head.headers)
            if let refusal = actions.ask(client.address, HealthPath(uri: head.uri) != nil) { throw refusal }
            self.client.origin = client
            head.headers.remove(name: "X-Forwarded-For")
            // The parser reads nothing more behind a request for an upgrade, which here never is granted.
            let isUpgrade = head.headers.contains(name: "Upgrade")
            head.headers.remove(name: "Upgrade")
            machine.began(
                isLast: !head.isKeepAlive || head.version != .http1_1 || isUpgrade, now: context.eventLoop.now)
            if request.expectsContinue {
                let interim = HTTPResponseHead(version: .http1_1, status: .continue)
                context.writeAndFlush(Self.wrapOutboundOut(.head(interim)), promise: nil)
            }
            arm()
            context.fireChannelRead(Self.wrapInboundOut(.head(head)))
        } catch {
            refuse(error)
        }
    }

    // MARK: Answers

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part = Self.unwrapOutboundIn(data)
        switch part {
        case .head(var head):
            guard case .pass(let isLast) = machine.beganAnswer(bytes: 0, now: context.eventLoop.now) else {
                break
            }
            if isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            arm()
            return context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .body(let body):
            guard case .pass = machine.beganAnswer(bytes: body.readableBytes, now: context.eventLoop.now) else { break }
            return context.write(data, promise: promise)
        case .end:
            guard case .pass = machine.endedAnswer() else { break }
            let taken = context.eventLoop.makePromise(of: Void.self)
            taken.futureResult.assumeIsolated().whenSuccess { self.answerTaken() }
            taken.futureResult.cascade(to: promise)
            return context.write(data, promise: taken)
        }
        promise?.fail(ChannelError.outputClosed)
    }

    private func answerTaken() {
        machine.answerTaken()
        guard let context else { return }
        proceed(context)
    }

    /// Goes on behind an exchange that is over.
    private func proceed(_ context: ChannelHandlerContext) {
        switch machine.next(now: context.eventLoop.now) {
        case .nothing: return
        case .close: return closeOutput(context)
        case .proceed: break
        }
        actions.answered()
        arm()
        var hasPassed = false
        while !machine.isClosing, !machine.holdsBack, let received = held.popFirst() {
            take(received)
            hasPassed = true
        }
        if hasPassed { context.fireChannelReadComplete() }
        releaseRead(context)
    }

    private func releaseRead(_ context: ChannelHandlerContext) {
        guard isReadHeld, !machine.holdsBack else { return }
        isReadHeld = false
        context.read()
    }

    // MARK: Ends

    /// Answers with an error and closes; where another answer is under way already, only closes.
    private func refuse(_ refusal: HandshakeRefusal) {
        guard let context else { return }
        actions.refused(refusal)
        guard machine.canRefuse else { return context.close(promise: nil) }
        let (head, body) = refusal.answer()
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        closeOutput(context)
    }

    /// Closes our direction, and the other one when the client has, or has had its time: closing with unread bytes resets
    /// a connection, and the answer would be lost.
    private func closeOutput(_ context: ChannelHandlerContext) {
        machine.closing(now: context.eventLoop.now)
        held.removeAll()
        arm()
        let closing = context.eventLoop.makePromise(of: Void.self)
        closing.futureResult.assumeIsolated().whenFailure { _ in context.close(promise: nil) }
        context.close(mode: .output, promise: closing)
        isReadHeld = false
        context.read()
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output, !machine.isClosing else { return context.close(mode: mode, promise: promise) }
        promise?.succeed()
        if machine.finished() {
            closeOutput(context)
        } else {
            proceed(context)
        }
    }

    private func end() {
        timer?.task.cancel()
        timer = nil
        context = nil
        held.removeAll()
    }

    // MARK: Deadlines

    /// A timer for the machine's deadline, or an earlier one: one that moved on is looked at when the timer fires.
    private func arm() {
        guard let context, let deadline = machine.deadline else { return }
        if let timer, timer.deadline <= deadline { return }
        timer?.task.cancel()
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.deadlinePassed() }
        timer = (task, deadline)
    }

    private func deadlinePassed() {
        timer = nil
        guard let context else { return }
        switch machine.deadlinePassed(now: context.eventLoop.now) {
        case .wait: arm()
        case .refuse: refuse(.slowRequest)
        case .abandon:
            actions.abandoned()
            context.close(promise: nil)
        case .close: context.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension PlainHTTPHandler: Sendable {}
