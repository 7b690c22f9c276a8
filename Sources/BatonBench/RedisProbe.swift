package import NIOCore
import NIOPosix

/// Where a Redis of this host answers.
package enum RedisPlace: Hashable, Sendable {
    case port(Int)
    /// A socket's path.
    case socket(String)

    /// From `redis://127.0.0.1:PORT` or `unix:///PATH`.
    package init?(_ url: String) {
        if let start = url.firstRange(of: "unix://")?.upperBound, url.hasPrefix("unix:///") {
            self = .socket(String(url[start...].prefix { $0 != "?" }))
        } else if url.hasPrefix("redis://"), let colon = url.lastIndex(of: ":"),
            let port = Int(url[url.index(after: colon)...].prefix { $0 != "/" }), (1...65_535).contains(port)
        {
            self = .port(port)
        } else {
            return nil
        }
    }
}

/// One command to Redis at a time, on a connection of its own: what a harness needs to ask and to empty it.
///
/// The harness judges the relay, so it does not use the relay's own Redis code.
package struct RedisProbe: Sendable {
    let place: RedisPlace

    init(_ place: RedisPlace) { self.place = place }

    package init(port: Int) { place = .port(port) }

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Sends one inline command and returns the reply's text.
    package func run(_ command: String, within limit: TimeAmount = .seconds(5)) async throws -> String {
        let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: String.self)
        let channel: any Channel
        do {
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(1))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Reply(promise: promise))
                    }
                }
            channel =
                switch place {
                case .port(let port): try await bootstrap.connect(host: "127.0.0.1", port: port).get()
                case .socket(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
        } catch {
            promise.fail(error)
            throw error
        }
        let deadline = channel.eventLoop.scheduleTask(in: limit) {
            promise.fail(Failure(description: "Redis did not answer \(command) within \(limit)"))
        }
        try await channel.writeAndFlush(ByteBuffer(string: command + "\r\n"))
        defer {
            deadline.cancel()
            channel.close(promise: nil)
        }
        return try await promise.futureResult.get()
    }

    /// Collects a reply: a line, or a bulk string of a stated length.
    private final class Reply: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let promise: EventLoopPromise<String>
        private var text = ""

        init(promise: EventLoopPromise<String>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            text += String(buffer: unwrapInboundIn(data))
            guard let end = text.firstRange(of: "\r\n") else { return }
            let line = text[..<end.lowerBound]
            if line.hasPrefix("$"), let count = Int(line.dropFirst()) {
                let rest = text[end.upperBound...]
                if rest.utf8.count >= count { promise.succeed(String(rest.prefix(count))) }
            } else if line.hasPrefix("-") {
                promise.fail(Failure(description: String(line.dropFirst())))
            } else {
                promise.succeed(String(line.dropFirst()))
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            promise.fail(Failure(description: "Redis closed the connection"))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}
