import NIOCore

/// The end of a channel where a socket would be: hands on what is flushed, and says when it was closed.
final class SimulatedWire: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    var onFlush: (ByteBuffer) -> Void = { _ in }
    var onClosed: () -> Void = {}
    private var pending = ByteBuffer()

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var buffer = Self.unwrapOutboundIn(data)
        pending.writeBuffer(&buffer)
        promise?.succeed()
    }

    func flush(context: ChannelHandlerContext) {
        guard pending.readableBytes > 0 else { return }
        let buffer = pending
        pending = ByteBuffer()
        onFlush(buffer)
    }

    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelInactive()
        onClosed()
        onFlush = { _ in }
        onClosed = {}
    }
}

@available(*, unavailable) extension SimulatedWire: Sendable {}
