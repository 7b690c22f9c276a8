import NIOCore

/// One connection to Redis, the last handler of its channel.
///
/// 1. Writes commands; all those of one loop tick go out in one write.
/// 2. Matches replies with commands in their order, and completes each exactly once.
/// 3. Closes the connection where a reply is late, broken or was not asked for.
/// 4. On a subscriber connection hands on published messages, which are no replies.
///
/// It knows neither how to connect nor what commands mean: `RedisLink` does the one, the registries the other.
final class RedisHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Completion = (Result<RedisValue, RedisError>) -> Void

    /// Where published messages go: channel and payload.
    var onMessage: (([UInt8], [UInt8]) -> Void)?
    /// Runs once, after all commands were completed.
    var onClosed: ((RedisError) -> Void)?

    private let timeout: TimeAmount
    private var machine: StateMachine
    private var parser: ReplyParser
    private var context: ChannelHandlerContext?
    private var outgoing: ByteBuffer?
    private var timer: Scheduled<Void>?
    private var cause: RedisError?

    /// "message", the first word of what is published to a subscriber.
    private static let messageWord = Array("message".utf8)
    private static let outgoingBytes = 4 * 1024

    init(settings: RedisSettings) {
        timeout = settings.commandTimeout
        machine = StateMachine(maximumCount: settings.pendingCommands, maximumCost: settings.pendingBytes)
        parser = ReplyParser(replyBytes: settings.replyBytes)
    }

    var pendingCommands: Int { machine.count }

    func send(_ command: RedisCommand, completion: @escaping Completion) {
        send(command, completions: [completion])
    }

    /// Sends a command that Redis answers once for each completion, as SUBSCRIBE of several channels.
    func send(_ command: RedisCommand, completions: [Completion]) {
        guard let context else {
            for completion in completions { completion(.failure(.connectionLost)) }
            return
        }
        let deadline = context.eventLoop.now + timeout
        switch machine.sent(completions, cost: command.cost, deadline: deadline) {
        case .write:
            write(command, context: context)
        case .writeAndArm:
            write(command, context: context)
            arm(deadline, context: context)
        case .refuse(let error):
            for completion in completions { completion(.failure(error)) }
        }
    }

    func close(_ error: RedisError) {
        guard let context, cause == nil else { return }
        cause = error
        context.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(cause ?? .connectionLost)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(cause ?? .connectionLost)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        close(.transport("\(error)"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        do throws(RedisError) {
            while cause == nil, buffer.readableBytes > 0 {
                let count = min(buffer.readableBytes, ReplyParser.pieceBytes)
                // The bytes stay valid and the same until the reader has copied them, within the closure.
                let outcome = buffer.readWithUnsafeReadableBytes { bytes in
                    (count, Result { () throws(RedisError) in try parser.feed(.init(rebasing: bytes[..<count])) })
                }
                try outcome.get()
                while cause == nil, let value = try parser.next() { try receive(value) }
            }
        } catch {
            close(error)
        }
    }

    private func receive(_ value: RedisValue) throws(RedisError) {
        if let onMessage, case .array(let parts) = value, parts.count == 3, case .string(Self.messageWord) = parts[0] {
            guard case .string(let channel) = parts[1], case .string(let payload) = parts[2] else {
                throw .brokenReply("a published message is no string")
            }
            onMessage(channel, payload)
            return
        }
        guard let completion = machine.receivedReply() else { throw .brokenReply("a reply that nobody asked for") }
        if case .error(let text) = value {
            completion(.failure(.refused(text)))
        } else {
            completion(.success(value))
        }
    }

    private func write(_ command: RedisCommand, context: ChannelHandlerContext) {
        var buffer: ByteBuffer
        if let waiting = outgoing {
            // The buffer must have one owner, or appending would copy it.
            buffer = waiting
            outgoing = nil
        } else {
            buffer = context.channel.allocator.buffer(capacity: Self.outgoingBytes)
            context.eventLoop.assumeIsolated().execute { self.flush() }
        }
        let isFormatted = command.format(into: &buffer)
        outgoing = buffer
        if !isFormatted { close(.overloaded) }
    }

    private func flush() {
        guard let context, let buffer = outgoing else { return }
        outgoing = nil
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    private func arm(_ deadline: NIODeadline, context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.deadlineCame() }
    }

    private func deadlineCame() {
        guard let context else { return }
        switch machine.deadlineCame(now: context.eventLoop.now) {
        case .nothing: timer = nil
        case .arm(let deadline): arm(deadline, context: context)
        case .close: close(.timedOut)
        }
    }

    private func finish(_ error: RedisError) {
        guard context != nil else { return }
        context = nil
        outgoing = nil
        timer?.cancel()
        timer = nil
        for completion in machine.closed() { completion(.failure(error)) }
        let told = onClosed
        onClosed = nil
        onMessage = nil
        told?(error)
    }
}

@available(*, unavailable)
extension RedisHandler: Sendable {}
