import BatonHistory
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a node how it is: `/health/ready`, on a connection of its own each time, as a balancer does. So a node that
/// takes no further connections is seen as one.
struct HealthProbe: Sendable {
    let port: Int

    /// What of the answer is of use; see `NodeHealth` for all of it.
    private struct Health: Decodable {
        let ready: Bool
        let degraded: Bool
        let reasons: [String]
        let connections: Int
    }

    private struct Answer: Sendable {
        let status: HTTPResponseStatus
        let body: ByteBuffer
    }

    private struct Failure: Error {}

    /// A node's answer has some hundred bytes.
    private static let longestAnswer = 16 * 1024

    /// What a node's own words come to; `unreachable` where there are none in time.
    func sample(_ node: String, within limit: TimeAmount) async -> ClusterRecord.NodeSample {
        guard let answer = try? await ask(within: limit) else {
            return ClusterRecord.NodeSample(node: node, readiness: .unreachable)
        }
        guard let health = try? JSONDecoder().decode(Health.self, from: Data(answer.body.readableBytesView)) else {
            return ClusterRecord.NodeSample(
                node: node, readiness: answer.status == .ok ? .ready : .unready, reasons: ["HTTP \(answer.status.code)"]
            )
        }
        let isReady = health.ready && answer.status == .ok
        return ClusterRecord.NodeSample(
            node: node, readiness: !isReady ? .unready : health.degraded ? .degraded : .ready, reasons: health.reasons,
            connections: health.connections)
    }

    private func ask(within limit: TimeAmount) async throws -> Answer {
        let group = MultiThreadedEventLoopGroup.singleton
        let promise = group.next().makePromise(of: Answer.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .connectTimeout(limit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(Collector(promise: promise))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        } catch {
            promise.fail(error)
            throw error
        }
        let deadline = channel.eventLoop.scheduleTask(in: limit) { promise.fail(Failure()) }
        defer {
            deadline.cancel()
            channel.close(promise: nil)
        }
        return try await promise.futureResult.get()
    }

    /// Asks as soon as there is a connection, and collects the answer.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart
        private let promise: EventLoopPromise<Answer>
        private var status = HTTPResponseStatus.internalServerError
        private var body = ByteBuffer()

        init(promise: EventLoopPromise<Answer>) { self.promise = promise }

        func channelActive(context: ChannelHandlerContext) {
            let head = HTTPRequestHead(
                version: .http1_1, method: .GET, uri: "/health/ready",
                headers: ["host": "127.0.0.1", "connection": "close"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): status = head.status
            case .body(var part):
                if body.readableBytes + part.readableBytes > HealthProbe.longestAnswer {
                    promise.fail(Failure())
                } else {
                    body.writeBuffer(&part)
                }
            case .end: promise.succeed(Answer(status: status, body: body))
            }
        }

        func channelInactive(context: ChannelHandlerContext) { promise.fail(Failure()) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}
