package import NIOCore
import NIOPosix

/// A TCP connection that sends any bytes and says what came back: a client that keeps no rule it is not told to.
///
/// Everything it waits for ends by a deadline, so that a server that says nothing fails a test and does not hang it.
package struct RawConnection: Sendable {
    package struct NothingCame: Error, CustomStringConvertible {
        package let received: [UInt8]
        package var description: String { "waited too long; got: \(String(decoding: received, as: UTF8.self))" }
    }

    /// The head of an HTTP answer and what followed it.
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(name: String, value: String)]
        package var rest: [UInt8]

        package subscript(name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        package var text: String { String(decoding: rest, as: UTF8.self) }
    }

    private let channel: any Channel
    private let inbox: NIOLoopBound<Inbox>

    /// - Parameter readsNothing: never reads; the kernel's buffers fill.
    package static func connect(
        to address: SocketAddress, readsNothing: Bool = false,
        group: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
    ) async throws -> RawConnection {
        try await ClientBootstrap(group: group)
            .channelOption(.autoRead, value: !readsNothing)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let inbox = Inbox()
                    try channel.pipeline.syncOperations.addHandler(inbox)
                    return RawConnection(
                        channel: channel, inbox: NIOLoopBound(inbox, eventLoop: channel.eventLoop))
                }
            }
    }

    package func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    package func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    /// Closes our direction only.
    package func finish() async throws {
        try await channel.close(mode: .output)
    }

    package func close() async throws {
        try await channel.close()
    }

    /// What has come as soon as it is enough; it stays for the next call.
    ///
    /// - Parameter isEnough: gets all bytes, and whether the other end has closed.
    package func wait<Value: Sendable>(
        seconds: Int64 = 10, _ isEnough: @escaping @Sendable (ByteBuffer, _ ended: Bool) -> (Value, consumed: Int)?
    ) async throws -> Value {
        let promise = channel.eventLoop.makePromise(of: Value.self)
        channel.eventLoop.execute {
            inbox.value.wait(on: channel.eventLoop, seconds: seconds) { buffer, ended in
                guard let (value, consumed) = isEnough(buffer, ended) else { return nil }
                promise.succeed(value)
                return consumed
            } onFailure: {
                promise.fail($0)
            }
        }
        return try await promise.futureResult.get()
    }

    /// All that comes until the other end closes.
    package func untilEnd(seconds: Int64 = 10) async throws -> [UInt8] {
        try await wait(seconds: seconds) { buffer, ended in
            ended ? (Array(buffer.readableBytesView), buffer.readableBytes) : nil
        }
    }

    /// The head of an HTTP answer. Its body stays.
    package func head() async throws -> Answer {
        try await wait { buffer, _ in
            let bytes = Array(buffer.readableBytesView)
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return nil }
            return (Self.parse(bytes[..<end]), end)
        }
    }

    /// A whole answer of a server that closes behind it.
    package func lastAnswer() async throws -> Answer {
        var answer = try await head()
        answer.rest = try await untilEnd()
        return answer
    }

    /// The next frame of a server.
    package func frame() async throws -> ServerFrame {
        try await wait { buffer, _ in
            var copy = buffer
            guard let frame = ServerFrame.read(from: &copy) else { return nil }
            return (frame, copy.readerIndex - buffer.readerIndex)
        }
    }

    private static func parse(_ head: some Sequence<UInt8>) -> Answer {
        let lines = String(decoding: Array(head), as: UTF8.self).split(separator: "\r\n")
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (name: String(parts[0]), value: parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
        }
        return Answer(status: status ?? 0, headers: headers, rest: [])
    }

    private final class Inbox: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private var received = ByteBuffer()
        private var ended = false
        private var isEnough: ((ByteBuffer, Bool) -> Int?)?
        private var deadline: Scheduled<Void>?

        func wait(
            on loop: any EventLoop, seconds: Int64, until isEnough: @escaping (ByteBuffer, Bool) -> Int?,
            onFailure: @escaping (any Error) -> Void
        ) {
            self.isEnough = isEnough
            deadline = loop.assumeIsolated().scheduleTask(in: .seconds(seconds)) {
                self.isEnough = nil
                onFailure(NothingCame(received: Array(self.received.readableBytesView)))
            }
            look(onFailure: onFailure)
            self.onFailure = onFailure
        }

        private var onFailure: ((any Error) -> Void)?

        private func look(onFailure: ((any Error) -> Void)?) {
            guard let isEnough else { return }
            if let consumed = isEnough(received, ended) {
                received.moveReaderIndex(forwardBy: consumed)
            } else if ended {
                onFailure?(NothingCame(received: Array(received.readableBytesView)))
            } else {
                return
            }
            self.isEnough = nil
            deadline?.cancel()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(Self.unwrapInboundIn(data))
            look(onFailure: onFailure)
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event as? ChannelEvent == .inputClosed { end() }
        }

        func channelInactive(context: ChannelHandlerContext) { end() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func end() {
            ended = true
            look(onFailure: onFailure)
        }
    }
}
