package import NIOCore

/// Sends every message back as it came: the endpoint that conformance suites and probes of the framing are run
/// against. It is mounted where a node is told to, and never together with accounts.
///
/// What it owes is bounded by ``WebSocketHandler``, which does not read while it cannot write.
package final class EchoHandler: ChannelInboundHandler {
    package typealias InboundIn = WebSocketInbound
    package typealias OutboundOut = WebSocketOutbound

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .text(let text): context.write(Self.wrapOutboundOut(.textBuffer(text)), promise: nil)
        case .binary(let bytes): context.write(Self.wrapOutboundOut(.binaryBuffer(bytes)), promise: nil)
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
        context.fireChannelReadComplete()
    }
}

@available(*, unavailable)
extension EchoHandler: Sendable {}
