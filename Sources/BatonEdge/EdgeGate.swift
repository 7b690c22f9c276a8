import BatonCore
package import BatonGateway
import BatonProtocol
package import NIOCore
package import NIOHTTP1

/// Decides with the first request of a connection what the connection is: plain HTTP, or a WebSocket.
///
/// It is responsible for
/// 1. the deadline from the TCP connection to the complete, authenticated request, whatever drips in meanwhile;
/// 2. judging a handshake, admission, and answering what is refused;
/// 3. reading nothing while a token is being verified;
/// 4. exchanging the handlers of HTTP for those of the WebSocket.
///
/// NIO's own upgrade handler loses the head of a request that asks for an upgrade and is refused it, so it is not used.
/// Only the first request of a connection can upgrade.
package final class EdgeGate: ChannelDuplexHandler, RemovableChannelHandler {
    package typealias InboundIn = HTTPServerRequestPart
    package typealias InboundOut = HTTPServerRequestPart
    package typealias OutboundIn = HTTPServerResponsePart
    package typealias OutboundOut = HTTPServerResponsePart

    /// What the gate asks of the connection's owner.
    package struct Actions {
        /// The connection is there; whether it is taken.
        package var opened: () -> Bool
        /// The policy of a path that is a WebSocket; nil for all others.
        package var policy: (_ uri: String) -> WebSocketHandshake.Policy?
        package var admit: (HTTPRequestHead) -> HandshakeRefusal?
        /// Puts the handlers of plain HTTP behind the gate. The first request follows.
        package var servePlainly: () throws -> Void
        /// A handshake is good but for its token. Ends with a call of the gate's `upgrade` or `refuse`.
        package var authenticate: (EdgeGate, WebSocketHandshake.Accepted, HTTPRequestHead) -> Void
        /// The connection is refused, for whatever reason.
        package var refused: (HandshakeRefusal) -> Void
        /// The connection ended before it was plain or came as far as its token.
        package var ended: () -> Void

        package init(
            opened: @escaping () -> Bool, policy: @escaping (_ uri: String) -> WebSocketHandshake.Policy?,
            admit: @escaping (HTTPRequestHead) -> HandshakeRefusal?, servePlainly: @escaping () throws -> Void,
            authenticate: @escaping (EdgeGate, WebSocketHandshake.Accepted, HTTPRequestHead) -> Void,
            refused: @escaping (HandshakeRefusal) -> Void, ended: @escaping () -> Void
        ) {
            self.opened = opened
            self.policy = policy
            self.admit = admit
            self.servePlainly = servePlainly
            self.authenticate = authenticate
            self.refused = refused
            self.ended = ended
        }
    }

    private enum State {
        case waiting
        /// The head asks rightly for a WebSocket; the request's end has not come.
        case asked(WebSocketHandshake.Accepted, HTTPRequestHead)
        case authenticating(WebSocketHandshake.Accepted)
        /// Refused, upgraded, or plain: the gate has nothing more to say.
        case decided
    }

    private let actions: Actions
    private let encoder: any RemovableChannelHandler
    private let decoder: any RemovableChannelHandler
    private let handshakeTime: TimeAmount
    private var state = State.waiting
    private var isReadHeld = false
    /// The connection's owner has got it, and needs not be told that it ended.
    private var isHandedOver = false
    private var deadline: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameters:
    ///   - encoder: of HTTP, before the gate.
    ///   - decoder: of HTTP, before the gate; when it is removed it gives on the bytes that it has not used.
    package init(
        actions: Actions, encoder: any RemovableChannelHandler, decoder: any RemovableChannelHandler,
        handshakeTime: TimeAmount
    ) {
        self.actions = actions
        self.encoder = encoder
        self.decoder = decoder
        self.handshakeTime = handshakeTime
    }

    // MARK: Life

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: handshakeTime) { self.refuse(.tooSlow) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        guard actions.opened() else {
            end()
            return context.close(promise: nil)
        }
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            // Half a client: what it has not said by now it never will, and an answer it may not read.
            end()
            return context.close(promise: nil)
        }
        if event is ChannelShouldQuiesceEvent, case .waiting = state {
            end()
            return context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let refusal = HandshakeRefusal(parsing: error) {
            refuse(refusal)
        } else {
            // The socket broke.
            end()
            context.close(promise: nil)
        }
    }

    // MARK: The first request

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, Self.unwrapInboundIn(data)) {
        case (.waiting, .head(let head)):
            // One that is wrong is a plain one's to answer.
            if let checked = try? CheckedRequest(head).head, let policy = actions.policy(checked.uri) {
                judge(checked, policy)
            } else {
                servePlainly(context: context, first: data)
            }
        case (.asked(let accepted, let head), .end):
            admit(accepted, head, context: context)
        case (.waiting, _), (.asked, _), (.authenticating, _), (.decided, _):
            // A body that comes with a handshake, or whatever follows a refusal.
            break
        }
    }

    package func read(context: ChannelHandlerContext) {
        if case .authenticating = state {
            isReadHeld = true
        } else {
            context.read()
        }
    }

    private func servePlainly(context: ChannelHandlerContext, first: NIOAny) {
        decide()
        do {
            try actions.servePlainly()
            isHandedOver = true
            context.fireChannelRead(first)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            tellEnded()
            context.close(promise: nil)
        }
    }

    private func judge(_ head: HTTPRequestHead, _ policy: WebSocketHandshake.Policy) {
        do throws(HandshakeRefusal) {
            state = .asked(try WebSocketHandshake.judge(head, policy: policy), head)
        } catch {
            refuse(error)
        }
    }

    private func admit(
        _ accepted: WebSocketHandshake.Accepted, _ head: HTTPRequestHead, context: ChannelHandlerContext
    ) {
        if let refusal = actions.admit(head) { return refuse(refusal) }
        state = .authenticating(accepted)
        isHandedOver = true
        actions.authenticate(self, accepted, head)
    }

    // MARK: The verdict

    /// Answers and closes. Does nothing where the connection is decided or gone.
    package func refuse(_ refusal: HandshakeRefusal) {
        guard let context, decide() else { return }
        actions.refused(refusal)
        let (head, body) = refusal.answer()
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            // Not at once: closing with unread bytes resets the connection, and the answer would be lost.
            let closing = context.eventLoop.makePromise(of: Void.self)
            closing.futureResult.assumeIsolated().whenFailure { _ in context.close(promise: nil) }
            context.close(mode: .output, promise: closing)
        }
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Limits.Connection.closeSeconds)) {
            context.close(promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: promise)
        tellEnded()
        releaseRead(context: context)
    }

    /// Opens the WebSocket: tells the client, then exchanges the handlers. What it sent meanwhile comes next.
    ///
    /// - Parameter install: puts the handlers of the WebSocket at the end of the pipeline.
    package func upgrade(install: (any Channel) -> Void) {
        guard let context, case .authenticating(let accepted) = state, decide() else { return }
        let head = HTTPResponseHead(
            version: .http1_1, status: .switchingProtocols, headers: accepted.responseHeaders)
        context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        let channel = context.channel
        do {
            try Self.setOptions(channel)
        } catch {
            context.close(promise: nil)
            return
        }
        let mustRead = isReadHeld
        // The new handlers may write at once, so nothing of HTTP may stand before them; and they must be there when the
        // decoder gives on its bytes.
        pipeline.removeHandler(self, promise: nil)
        pipeline.removeHandler(encoder, promise: nil)
        install(channel)
        pipeline.removeHandler(decoder).assumeIsolated().whenComplete { _ in
            channel.pipeline.fireChannelReadComplete()
            if mustRead { channel.read() }
        }
    }

    private static func setOptions(_ channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        // A client that half-closes is gone; kept open, its socket would never end.
        try options.setOption(.allowRemoteHalfClosure, value: false)
        // A channel keeps its last receive buffer, so idle connections cost what this begins with.
        let allocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 16 * 1024)
        try options.setOption(.recvAllocator, value: allocator)
    }

    /// - Returns: whether it was undecided until now.
    @discardableResult
    private func decide() -> Bool {
        if case .decided = state { return false }
        state = .decided
        deadline?.cancel()
        deadline = nil
        return true
    }

    private func releaseRead(context: ChannelHandlerContext) {
        guard isReadHeld else { return }
        isReadHeld = false
        context.read()
    }

    private func end() {
        deadline?.cancel()
        deadline = nil
        if decide() { tellEnded() }
    }

    private func tellEnded() {
        guard !isHandedOver else { return }
        isHandedOver = true
        actions.ended()
    }
}

@available(*, unavailable)
extension EdgeGate: Sendable {}

extension HandshakeRefusal {
    /// What the parser says of bytes that are no request; nil for another error.
    init?(parsing error: any Error) {
        switch error {
        case HTTPParserError.headerOverflow, is ByteToMessageDecoderError.PayloadTooLargeError:
            self.init(
                .tooLarge, "the head of the request is larger than \(Limits.Frame.requestHeadBytes) bytes",
                status: .requestHeaderFieldsTooLarge)
        case let error as HTTPParserError:
            self.init(.invalidField, "this is no HTTP request: \(error)", status: .badRequest)
        default: return nil
        }
    }
}
