package import BatonCore
package import BatonProtocol
import CoreMetrics
package import NIOCore

/// One client connection, from `hello` to the end. It lives on one event loop with all its state.
///
/// It does, in this order:
/// 1. reads frames, checks them, and answers wrong ones with one error each, up to a limit;
/// 2. on `hello`, asks its `RelayLoop` to subscribe, to open the inbox and to register the session, and holds what comes
///    after it until that is done;
/// 3. forwards events as `InboxDelivery` decides, and hands sends, acknowledgements and reads to the loop's next
///    batch for the store;
/// 4. stops reading from the socket while too many sends are being committed.
///
/// It does not buffer events, retry, or know Redis: the store is the buffer, the client retries, the loop knows.
package final class RelayHandler: ChannelDuplexHandler {
    package typealias InboundIn = WebSocketInbound
    package typealias OutboundIn = Never
    package typealias OutboundOut = WebSocketOutbound

    enum Phase {
        case awaitingHello
        case opening
        case open
        case closing
    }

    let principal: Principal
    let encoding: Subprotocol
    let id: ConnectionID
    /// Which of its device's connections this is, once the client has answered on it since the store said so. Only then is it
    /// sure to be newer than connections with lower ones: what was read from a socket may have lain there while the node
    /// stood still.
    package internal(set) var generation: ConnectionGeneration?
    /// What the store said, while the client has not answered.
    var unprovenGeneration: ConnectionGeneration?
    package let since: Timestamp
    let loop: RelayLoop
    /// What it counts; nothing of a node's own connections.
    let metrics: RelayMetrics
    let isCounted: Bool
    let addedAt: NIODeadline
    var phase = Phase.awaitingHello
    var context: ChannelHandlerContext?
    private var webSocket: WebSocketHandler?
    /// There from `welcome` on.
    var delivery: InboxDelivery?
    /// How far the inbox goes by hints that came before `delivery` was there.
    var hintedHead = InboxSequence.zero
    var acknowledgements = AcknowledgementPipeline()
    var traced = TracedDelivery()
    /// An acknowledgement that the store failed to take.
    var unstoredAcknowledgement: InboxSequence?
    var resume: Resume?
    var clientName = "unknown"
    /// Whether its session was written, or tried to be.
    var isRegistered = false
    /// When the reader last acknowledged something, or nothing waited for it.
    var lastProgress: NIODeadline
    /// Since when events have found no room at this reader, as far as the looks of once a second saw.
    var blockedSince: NIODeadline?
    /// A ping was sent since the client was last heard.
    var wasPinged = false
    /// Written to since the last flush: it is in the loop's `FlushQueue`.
    var needsFlush = false
    /// What its user may still send here; there from the first send on.
    var budget: UserBudget?
    /// There once the client types or watches.
    var ephemeral: EphemeralState?

    /// Sends and read marks handed to the store.
    private var operationsInFlight = 0
    private var wrongFrames: Int8 = 0
    private var heldRead = false
    private var held = HeldFrames()
    /// The code that we closed with.
    private var closeCode: CloseCode?

    struct Resume: Hashable {
        let epoch: Epoch
        let position: InboxSequence
    }

    /// - Parameter isCounted: false for the connections of the node's own users, which are no clients'.
    package init(principal: Principal, encoding: Subprotocol, loop: RelayLoop, isCounted: Bool = true) {
        self.principal = principal
        self.encoding = encoding
        self.loop = loop
        self.isCounted = isCounted
        metrics = isCounted ? loop.metrics : .uncounted
        since = loop.clock.now
        id = loop.node.newConnectionID()
        addedAt = loop.eventLoop.now
        lastProgress = addedAt
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        webSocket = try? context.pipeline.syncOperations.handler(type: WebSocketHandler.self)
        loop.add(self)
        if !context.channel.isActive { leave() }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        leave()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    /// The connection is over; tells the loop once.
    private func leave() {
        guard context != nil else { return }
        context = nil
        webSocket = nil
        phase = .closing
        held = HeldFrames()
        metrics.closed(closeCode)
        loop.traceClosed(self, closeCode)
        loop.remove(self)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase != .closing else { return }
        metrics.framesReceived.increment()
        let message = unwrapInboundIn(data)
        if phase == .opening {
            held.append(message)
        } else {
            received(message)
        }
    }

    /// Any sign of life, pongs included.
    var lastHeard: NIODeadline { webSocket?.lastHeard ?? addedAt }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is WebSocketClosing: phase = .closing
        case let pong as WebSocketPong: received(pong)
        default: break
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let step = delivery?.writabilityChanged(context.channel.isWritable) { act(step) }
        context.fireChannelWritabilityChanged()
    }

    /// Holds the socket's next read while too much of this client waits for its commit, or for the inbox to open.
    package func read(context: ChannelHandlerContext) {
        if operationsInFlight >= Limits.Connection.sendsInFlight || held.isFull {
            heldRead = true
        } else {
            context.read()
        }
    }

    /// Lets a held read go on.
    private func readOn() {
        guard heldRead else { return }
        heldRead = false
        context?.read()
    }

    /// The frames that came behind the `hello`, in their order: each is answered behind `welcome`.
    func receivedHeld() {
        for message in held.takeAll() where phase == .open { received(message) }
        if operationsInFlight < Limits.Connection.sendsInFlight { readOn() }
    }

    private func received(_ message: WebSocketInbound) {
        do throws(FrameError) {
            switch (message, encoding) {
            case (.binary(let buffer), .proto), (.text(let buffer), .json):
                let frame = try FrameCodec.decode(Array(buffer.readableBytesView), as: encoding)
                do throws(FrameError) {
                    try handle(frame)
                } catch {
                    throw error.answering(frame)
                }
            case (.binary, .json):
                throw FrameError(.wrongEncoding, "this connection speaks baton.v1.json: send text frames")
            case (.text, .proto):
                throw FrameError(.wrongEncoding, "this connection speaks baton.v1.proto: send binary frames")
            }
        } catch {
            reject(error)
        }
    }

    /// Answers a wrong frame once: a send by its ref, so that an outbox knows, and any other by an error. A client that
    /// sends too many of the others is sent away.
    func reject(_ error: FrameError) {
        if let ref = error.ref, phase != .awaitingHello { return rejectSend(ref, error.error) }
        metrics.rejected(error.error.code)
        write(.error(error.error))
        if phase == .awaitingHello {
            close(.helloExpected, error.error.message)
            return
        }
        // Too often is not wrong: the frame is dropped, and the client told when to come back.
        if error.error.retryable { return }
        wrongFrames += 1
        if wrongFrames > Limits.Connection.wrongFrames { close(.misbehaved, "too many wrong frames") }
    }

    // MARK: Sends

    func operationBegan() { operationsInFlight += 1 }

    /// The store is done with one; where the socket's next read was held it goes on once half of them are.
    func operationEnded() {
        operationsInFlight -= 1
        if operationsInFlight <= Limits.Connection.sendsInFlight / 2, !held.isFull { readOn() }
    }

    /// The store has decided about a send.
    func sendEnded(ref: String, _ outcome: StoreOutcome) {
        switch outcome {
        case .sent(let message):
            write(.accepted(WireAccepted(message, ref: ref)))
        case .refused(.limited(let limit)): rejectSend(ref, loop.limited(limit, of: budget).error)
        case .refused(let refusal):
            rejectSend(ref, WireError(refusal))
            if case .deviceRevoked(let reason) = refusal { closeRevoked(reason) }
        case .failed(let failure): rejectSend(ref, WireError(failure))
        case .acknowledged, .markedRead, .connected: break
        }
        operationEnded()
    }

    func rejectSend(_ ref: String, _ error: WireError) {
        metrics.rejected(error.code)
        loop.traceRejected(ref, error.code, of: principal)
        var rejected = WireRejected()
        rejected.ref = ref
        rejected.error = error
        write(.rejected(rejected))
    }

    // MARK: Writing

    /// Queues a frame; the loop flushes at the end of its tick.
    func write(_ frame: WireServerFrame.OneOf_Frame) {
        guard phase != .closing else { return }
        var message = WireServerFrame()
        message.frame = frame
        // A frame of ours that cannot be encoded would be our bug; the client sees its loss as silence and reconnects.
        guard let bytes = try? FrameCodec.encode(message, as: encoding) else {
            close(.internalError, "a frame could not be encoded")
            return
        }
        writeBytes(bytes)
    }

    /// Queues an event's binary frame, in this connection's encoding.
    func writeEvent(_ frame: [UInt8]) {
        switch encoding {
        case .proto: writeBytes(frame)
        case .json:
            guard let bytes = try? FrameCodec.transcodeToJSON(frame) else {
                close(.internalError, "an event could not be encoded")
                return
            }
            writeBytes(bytes)
        }
    }

    /// Queues a notice that is worth nothing later: dropped where the socket is not writable.
    ///
    /// - Returns: whether it was queued.
    @discardableResult
    func writeEphemeral(_ frame: WireServerFrame.OneOf_Frame) -> Bool {
        guard phase == .open, context?.channel.isWritable == true else { return false }
        write(frame)
        return true
    }

    private func writeBytes(_ bytes: [UInt8]) {
        guard let context, phase != .closing else { return }
        context.write(wrapOutboundOut(encoding == .proto ? .binary(bytes) : .text(bytes)), promise: nil)
        loop.flushLater(self)
    }

    /// Hands to the socket what was queued.
    func flush() {
        needsFlush = false
        context?.flush()
    }

    /// - Parameter payload: what the pong is to bring back.
    func ping(_ payload: [UInt8] = []) {
        guard let context, phase != .closing else { return }
        context.write(wrapOutboundOut(.ping(payload)), promise: nil)
        loop.flushLater(self)
    }

    /// The device was revoked.
    func closeRevoked(_ reason: RevocationReason) { close(CloseCode(reason), WireError(reason).message) }

    /// Ends the connection with a code that tells the client what to do.
    func close(_ code: CloseCode, _ reason: String) {
        guard let context, phase != .closing else { return }
        phase = .closing
        closeCode = code
        held = HeldFrames()
        context.writeAndFlush(wrapOutboundOut(.close(code: code.rawValue, reason: reason)), promise: nil)
        // The client's close frame is waited for.
        readOn()
    }
}

@available(*, unavailable) extension RelayHandler: Sendable {}
