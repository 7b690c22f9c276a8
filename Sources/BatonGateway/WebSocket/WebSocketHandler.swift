import BatonCore
import BatonProtocol
package import NIOCore

/// The server's side of one WebSocket connection: bytes of the socket here, messages behind it.
///
/// It is responsible for
/// 1. framing, both ways: a client's broken frame is answered by the close code that names it, and ends the connection;
/// 2. one write a flush: frames are put into one buffer, header and payload copied once;
/// 3. pings: each is answered while the socket is writable, only the latest one is owed while it is not;
/// 4. back-pressure: nothing is read while nothing can be written, and what waits is bounded
///    (`Limits.Connection.writeBufferBytes`), so that a client that sends and never reads costs no memory;
/// 5. the closing handshake in both directions with its deadline; no message comes after it began.
///
/// It keeps no timer and no buffer while a connection is idle. Signs of life are the next handler's business:
/// ``lastHeard`` tells when any byte came.
package final class WebSocketHandler: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = WebSocketInbound
    package typealias OutboundIn = WebSocketOutbound
    package typealias OutboundOut = ByteBuffer

    /// When the last byte came, of whatever kind.
    package private(set) var lastHeard = NIODeadline.now()

    private var machine = StateMachine()
    private var decoder: WebSocketDecoder
    private var pending = ByteBuffer()
    private var pendingPromise: EventLoopPromise<Void>?
    private var closeDeadline: Scheduled<Void>?

    package init(bounds: WebSocketDecoder.Bounds = .init()) {
        decoder = WebSocketDecoder(bounds: bounds)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        lastHeard = context.eventLoop.now
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    // MARK: Inbound

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = context.eventLoop.now
        var input = Self.unwrapInboundIn(data)
        while machine.isReceiving {
            do throws(WebSocketViolation) {
                guard let event = try decoder.next(&input) else { return }
                receive(event, context: context)
            } catch {
                violated(error, context: context)
            }
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        decoder.releaseMemory()
        // Pongs. What the handlers behind wrote they have flushed by now, and the pongs with it.
        if pending.readableBytes > 0 { flush(context: context) }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            let action = machine.becameWritable()
            if let pong = action.pong {
                WebSocketFrameWriter.append(.pong, pong, to: &pending)
                flush(context: context)
            }
            if action.read { context.read() }
        }
        context.fireChannelWritabilityChanged()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            // A client that sends no more cannot answer pings or closes either.
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The socket broke; the handlers behind learn it by `channelInactive`.
        context.close(promise: nil)
    }

    // MARK: Outbound

    package func read(context: ChannelHandlerContext) {
        if machine.readRequested(isWritable: context.channel.isWritable) { context.read() }
    }

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard machine.isOpen else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .text(let bytes): WebSocketFrameWriter.append(.text, bytes, to: &pending)
        case .binary(let bytes): WebSocketFrameWriter.append(.binary, bytes, to: &pending)
        case .textBuffer(let buffer): WebSocketFrameWriter.append(.text, buffer, to: &pending)
        case .binaryBuffer(let buffer): WebSocketFrameWriter.append(.binary, buffer, to: &pending)
        case .ping(let payload): WebSocketFrameWriter.append(.ping, payload, to: &pending)
        case .close(let code, let reason):
            join(promise, context: context)
            return close(code: code, reason: reason, context: context)
        }
        join(promise, context: context)
        dropOnOverflow(context: context)
    }

    package func flush(context: ChannelHandlerContext) {
        guard pending.readableBytes > 0 else { return context.flush() }
        let (buffer, promise) = (pending, pendingPromise)
        pending = ByteBuffer()
        pendingPromise = nil
        context.writeAndFlush(Self.wrapOutboundOut(buffer), promise: promise)
    }
}

extension WebSocketHandler {
    private func receive(_ event: WebSocketDecoder.Event, context: ChannelHandlerContext) {
        switch event {
        case .text(let text):
            if machine.isOpen { context.fireChannelRead(Self.wrapInboundOut(.text(text))) }
        case .binary(let bytes):
            if machine.isOpen { context.fireChannelRead(Self.wrapInboundOut(.binary(bytes))) }
        case .ping(let payload):
            let isWritable = context.channel.isWritable
            let action = machine.receivedPing(payload, at: context.eventLoop.now, isWritable: isWritable)
            run(action, payload, context: context)
        case .pong(let payload):
            run(machine.receivedPong(at: context.eventLoop.now), nil, context: context)
            guard machine.isOpen, payload.readableBytes > 0 else { return }
            context.fireUserInboundEventTriggered(WebSocketPong(payload: payload))
        case .close(let code):
            run(machine.receivedClose(code), context: context)
        }
    }

    private func run(_ action: StateMachine.PingAction, _ payload: ByteBuffer?, context: ChannelHandlerContext) {
        switch action {
        case .pong:
            WebSocketFrameWriter.append(.pong, payload ?? ByteBuffer(), to: &pending)
            dropOnOverflow(context: context)
        case .ignore:
            break
        case .violated(let violation):
            violated(violation, context: context)
        }
    }

    private func run(_ action: StateMachine.CloseAction, context: ChannelHandlerContext) {
        switch action {
        case .answerAndDisconnect(let code):
            WebSocketFrameWriter.appendClose(code: code, reason: "", to: &pending)
            flushLast(context: context) { $0.close(promise: nil) }
            context.fireUserInboundEventTriggered(WebSocketClosing.byPeer(code: code))
        case .disconnect:
            context.close(promise: nil)
        case .ignore:
            break
        }
    }

    private func violated(_ violation: WebSocketViolation, context: ChannelHandlerContext) {
        switch machine.violated(violation) {
        case .closeAndLinger(let violation):
            WebSocketFrameWriter.appendClose(
                code: violation.closeCode.rawValue, reason: violation.reason, to: &pending)
            // Closing a socket with unread bytes in it resets it, and the client would never see why. So only our
            // direction is closed, and the rest is read and thrown away until the client hangs up or time is over.
            flushLast(context: context) { context in
                let promise = context.eventLoop.makePromise(of: Void.self)
                promise.futureResult.assumeIsolated().whenFailure { _ in context.close(promise: nil) }
                context.close(mode: .output, promise: promise)
            }
            context.fireUserInboundEventTriggered(WebSocketClosing.violation(violation))
        case .disconnect:
            context.close(promise: nil)
        case .ignore:
            break
        }
    }

    private func close(code: UInt16, reason: String, context: ChannelHandlerContext) {
        guard machine.closeRequested() else { return }
        WebSocketFrameWriter.appendClose(code: code, reason: reason, to: &pending)
        flushLast(context: context) { _ in }
        context.fireUserInboundEventTriggered(WebSocketClosing.byUs(code: code))
    }

    /// Flushes the frame after which none is sent, and starts the deadline of the closing handshake.
    private func flushLast(context: ChannelHandlerContext, then: @escaping (ChannelHandlerContext) -> Void) {
        let loop = context.eventLoop.assumeIsolated()
        closeDeadline = loop.scheduleTask(in: .seconds(Limits.Connection.closeSeconds)) {
            if self.machine.deadlinePassed() { context.close(promise: nil) }
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { then(context) }
        join(promise, context: context)
        flush(context: context)
        if machine.stoppedWaitingForRoom() { context.read() }
    }

    private func dropOnOverflow(context: ChannelHandlerContext) {
        // The common case asks nobody: a writable channel holds less than its watermark.
        guard pending.readableBytes > Limits.Connection.writeLowWatermark || !context.channel.isWritable else { return }
        let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        guard pending.readableBytes + buffered > Limits.Connection.writeBufferBytes else { return }
        guard machine.overflowed() else { return }
        pending = ByteBuffer()
        pendingPromise?.fail(ChannelError.outputClosed)
        pendingPromise = nil
        context.fireUserInboundEventTriggered(WebSocketClosing.overflow)
        context.close(promise: nil)
    }

    /// Completes a promise when the buffer that is being filled is written.
    private func join(_ promise: EventLoopPromise<Void>?, context: ChannelHandlerContext) {
        guard let promise else { return }
        if let pendingPromise {
            pendingPromise.futureResult.cascade(to: promise)
        } else {
            pendingPromise = promise
        }
    }

    private func end() {
        machine.socketClosed()
        closeDeadline?.cancel()
        closeDeadline = nil
        pending = ByteBuffer()
        pendingPromise?.fail(ChannelError.ioOnClosedChannel)
        pendingPromise = nil
        decoder.releaseMemory()
    }
}

@available(*, unavailable)
extension WebSocketHandler: Sendable {}
