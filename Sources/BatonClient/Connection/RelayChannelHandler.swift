package import BatonProtocol
package import NIOCore

/// What uses a connection: the SDK's session, or a connection of the load generator. Loop-bound like its handler.
package protocol RelayChannelSession: AnyObject {
    /// The handshake is done; `hello` is the session's to send.
    func opened(_ channel: RelayChannelHandler<Self>)
    /// The payload of one message in the agreed encoding. The bytes are valid during the call.
    func received(_ payload: UnsafeRawBufferPointer, on channel: RelayChannelHandler<Self>)
    /// A ping was answered.
    func answeredPing()
    /// No more to read in this tick: the moment for acknowledgements. What is written here is flushed together.
    func readEnded(on channel: RelayChannelHandler<Self>)
    /// The socket takes more again, or takes no more for now.
    func writabilityChanged(_ isWritable: Bool, on channel: RelayChannelHandler<Self>)
    /// Once, last.
    func closed(_ ending: RelayEnding)
}

/// The client's side of one WebSocket to a relay, generic over what uses it, so that calls are direct.
///
/// 1. Sends the opening handshake and judges the answer.
/// 2. Cuts what is received into messages, answers pings and close frames.
/// 3. Masks what is written and collects it: one write and one flush a loop tick, however many frames.
///
/// It does not know the protocol's frames, nor clocks: who uses it decides when silence has lasted too long.
package final class RelayChannelHandler<Session: RelayChannelSession>: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum Phase {
        case upgrading(Upgrade)
        case open
        /// A close frame was sent; the server's is awaited.
        case closing
        case closed
    }

    /// Bytes of one message of the server, all fragments together.
    static var messageBytes: Int { 1024 * 1024 }
    /// An idle connection keeps no more than this for writing.
    private static var keptBytes: Int { 64 * 1024 }

    private let session: Session
    /// What was agreed on: text frames for JSON, binary ones for protobuf.
    package let encoding: Subprotocol
    private var phase: Phase
    private var context: ChannelHandlerContext?
    /// Received and not yet a whole frame.
    private var unread = ByteBuffer()
    private var fragments: ByteBuffer?
    private var outgoing = ByteBuffer()
    /// Within a read tick: what is written leaves at its end.
    package private(set) var isReading = false
    private var isFlushScheduled = false
    private var ending: RelayEnding?
    /// Masking protects proxies from scripts that choose their bytes, which a native client does not run: a fast
    /// generator with a random seed will do.
    private var maskingKeys: UInt64

    package init(session: Session, authority: String, accessToken: String, encoding: Subprotocol = .proto) {
        self.session = session
        self.encoding = encoding
        var generator = SystemRandomNumberGenerator()
        maskingKeys = generator.next() | 1
        phase = .upgrading(
            Upgrade(authority: authority, accessToken: accessToken, encoding: encoding, using: &generator))
    }

    /// Whether messages can be sent.
    package var isOpen: Bool {
        if case .open = phase { true } else { false }
    }

    package var eventLoop: (any EventLoop)? { context?.eventLoop }

    package var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Writes one message in the agreed encoding, whose bytes `fill` puts in place. It leaves with the tick's others.
    package func write(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        guard case .open = phase else { return }
        append(messages, count: count, fill)
        scheduleFlush()
    }

    package func write(_ payload: [UInt8]) {
        write(count: payload.count) { $0.copyBytes(from: payload) }
    }

    /// The kind of frames that messages are.
    private var messages: WebSocketFrame.Opcode { encoding == .proto ? .binary : .text }

    /// Asks the server for a sign of life.
    package func ping() {
        guard case .open = phase else { return }
        append(.ping, count: 0) { _ in }
        scheduleFlush()
    }

    /// Closes in order: the close frame leaves, the server's is awaited (the server bounds that time; who cannot wait
    /// uses `abort`).
    package func close(_ code: CloseCode) {
        guard case .open = phase else { return abort(.closedByClient) }
        ending = ending ?? .closedByClient
        append(.close, count: 2) { $0.storeBytes(of: code.rawValue.bigEndian, as: UInt16.self) }
        phase = .closing
        flush()
    }

    /// Closes at once.
    package func abort(_ reason: RelayEnding) {
        if case .closed = phase { return }
        ending = ending ?? reason
        phase = .closed
        context?.close(promise: nil)
    }

    // MARK: Inbound

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { sendUpgrade() }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        sendUpgrade()
        context.fireChannelActive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        var received = unwrapInboundIn(data)
        if unread.readableBytes == 0 {
            process(&received)
            unread = received.readableBytes > 0 ? received : ByteBuffer()
        } else {
            unread.writeBuffer(&received)
            var all = unread
            unread = ByteBuffer()
            process(&all)
            unread = all.readableBytes > 0 ? all : ByteBuffer()
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if isOpen { session.readEnded(on: self) }
        flush()
        context.fireChannelReadComplete()
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        session.writabilityChanged(context.channel.isWritable, on: self)
        context.fireChannelWritabilityChanged()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        abort(.broken(String(describing: error)))
    }

    package func channelInactive(context: ChannelHandlerContext) {
        if case .upgrading(let upgrade) = phase, ending == nil {
            let step = unread.withUnsafeReadableBytes { upgrade.read($0, isComplete: true) }
            if case .refused(let refusal) = step { ending = refusal }
        }
        phase = .closed
        session.closed(ending ?? .broken("the connection was lost"))
        context.fireChannelInactive()
    }

    // MARK: Private

    private func sendUpgrade() {
        guard case .upgrading(let upgrade) = phase, let context else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: upgrade.request)), promise: nil)
    }

    /// Takes all whole frames out of the buffer.
    private func process(_ buffer: inout ByteBuffer) {
        if case .upgrading(let upgrade) = phase {
            switch buffer.withUnsafeReadableBytes({ upgrade.read($0, isComplete: false) }) {
            case .incomplete: return
            case .refused(let refusal): return abort(refusal)
            case .upgraded(let consumed):
                buffer.moveReaderIndex(forwardBy: consumed)
                phase = .open
                session.opened(self)
            }
        }
        let consumed = buffer.withUnsafeReadableBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                if case .closed = phase { return bytes.count }
                switch WebSocketFrame.read(bytes, from: offset, limit: Self.messageBytes) {
                case .incomplete: return offset
                case .violation(let how):
                    violated(how)
                    return bytes.count
                case .frame(let opcode, let isFinal, let payload):
                    take(opcode, isFinal: isFinal, UnsafeRawBufferPointer(rebasing: bytes[payload]))
                    offset = payload.upperBound
                }
            }
            return offset
        }
        buffer.moveReaderIndex(forwardBy: consumed)
    }

    private func take(_ opcode: WebSocketFrame.Opcode, isFinal: Bool, _ payload: UnsafeRawBufferPointer) {
        switch opcode {
        case messages where isFinal && fragments == nil:
            if isOpen { session.received(payload, on: self) }
        case messages where fragments == nil:
            fragments = ByteBuffer(bytes: payload)
        case .continuation:
            guard fragments != nil else { return violated("a continuation of nothing") }
            fragments?.writeBytes(payload)
            guard let all = fragments, all.readableBytes <= Self.messageBytes else { return violated("too long") }
            guard isFinal else { return }
            fragments = nil
            if isOpen { all.withUnsafeReadableBytes { session.received($0, on: self) } }
        case messages: violated("a message inside another")
        case .text: violated("a text frame where binary was agreed")
        case .binary: violated("a binary frame where text was agreed")
        case .ping:
            guard isOpen else { return }
            append(.pong, count: payload.count) { $0.copyMemory(from: payload) }
            session.answeredPing()
        case .pong: break
        case .close: serverCloses(payload)
        }
    }

    private func serverCloses(_ payload: UnsafeRawBufferPointer) {
        let number = payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
        let reason = String(decoding: payload.dropFirst(2), as: UTF8.self)
        ending = ending ?? .closed(number.flatMap { CloseCode(rawValue: $0) }, reason: reason)
        if isOpen {
            append(.close, count: min(payload.count, 2)) { $0.copyBytes(from: payload.prefix(2)) }
            flush()
        }
        phase = .closed
        context?.close(promise: nil)
    }

    private func violated(_ how: String) {
        ending = ending ?? .broken("the server broke the protocol: \(how)")
        if isOpen {
            append(.close, count: 2) { $0.storeBytes(of: CloseCode.protocolError.rawValue.bigEndian, as: UInt16.self) }
            flush()
        }
        phase = .closed
        context?.close(promise: nil)
    }

    private func append(
        _ opcode: WebSocketFrame.Opcode, count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
    ) {
        let key = nextMaskingKey()
        let head = WebSocketFrame.headBytes(payload: count)
        outgoing.writeWithUnsafeMutableBytes(minimumWritableBytes: head + count) { bytes in
            WebSocketFrame.writeHead(opcode, payload: count, key: key, into: bytes)
            let payload = UnsafeMutableRawBufferPointer(rebasing: bytes[head..<head + count])
            fill(payload)
            WebSocketFrame.mask(payload, key: key)
            return head + count
        }
    }

    /// Xorshift: never zero, since the seed is not.
    private func nextMaskingKey() -> UInt32 {
        maskingKeys ^= maskingKeys << 13
        maskingKeys ^= maskingKeys >> 7
        maskingKeys ^= maskingKeys << 17
        return UInt32(truncatingIfNeeded: maskingKeys >> 16)
    }

    /// While reading, the end of the tick flushes anyway.
    private func scheduleFlush() {
        guard !isReading, !isFlushScheduled, let context else { return }
        isFlushScheduled = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    private func flush() {
        guard outgoing.readableBytes > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        if outgoing.capacity > Self.keptBytes { outgoing = ByteBuffer() } else { outgoing.clear() }
    }
}

@available(*, unavailable)
extension RelayChannelHandler: Sendable {}
