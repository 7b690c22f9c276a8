import BatonCore
import BatonGateway
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@Suite("A WebSocket's handler")
struct WebSocketHandlerTests {
    private let edge = WebSocketEdge()

    // MARK: Writing

    @Test("All frames of a flush are one write")
    func oneWrite() throws {
        for number in 0..<100 { edge.write(.text(Array("frame \(number)".utf8))) }
        #expect(try edge.readBuffer() == nil)
        edge.channel.flush()
        var buffer = try #require(try edge.readBuffer())
        #expect(ServerFrame.readAll(from: &buffer) == (0..<100).map { .text("frame \($0)") })
        #expect(try edge.readBuffer() == nil)
    }

    @Test("Promises of the frames of one flush are kept together, once it is written")
    func promises() {
        let promises = (0..<3).map { _ in edge.channel.eventLoop.makePromise(of: Void.self) }
        let kept = Counted()
        for promise in promises {
            promise.futureResult.assumeIsolated().whenSuccess { kept.count += 1 }
            edge.channel.write(WebSocketOutbound.binary([1]), promise: promise)
        }
        #expect(kept.count == 0)
        edge.channel.flush()
        #expect(kept.count == 3)
    }

    // MARK: Pings

    @Test("Each ping is answered while the socket is writable")
    func pongs() throws {
        try edge.receive(ClientFrames.ping([1]) + ClientFrames.ping([2]))
        #expect(try edge.frames() == [pong(1), pong(2)])
    }

    @Test("While nothing can be written only the latest ping is owed")
    func owedPong() throws {
        edge.setWritable(false)
        for number in UInt8(0)..<30 { try edge.receive(ClientFrames.ping([number])) }
        #expect(try edge.frames().isEmpty)
        edge.setWritable(true)
        #expect(try edge.frames() == [pong(29)])
        edge.setWritable(false)
        edge.setWritable(true)
        #expect(try edge.frames().isEmpty)
    }

    @Test("As many control frames a second as allowed are taken, one more ends the connection")
    func controlFrames() throws {
        let limit = Limits.Connection.controlFramesPerSecond
        for _ in 0..<2 {
            for number in 0..<limit { try edge.receive(number % 2 == 0 ? ClientFrames.ping() : ClientFrames.pong()) }
            #expect(try edge.frames().count == limit / 2)
            edge.loop.advanceTime(by: .seconds(1))
        }
        for _ in 0...limit { try edge.receive(ClientFrames.pong()) }
        #expect(try edge.frames().last?.closeCode == CloseCode.misbehaved.rawValue)
        #expect(edge.events.closings == [.violation(.tooManyControlFrames)])
    }

    @Test("A client that floods pings and never reads costs no memory and is sent away")
    func pingFlood() throws {
        edge.setWritable(false)
        let payload = [UInt8](repeating: 7, count: 125)
        for _ in 0..<20_000 where edge.channel.isActive {
            try edge.receive(ClientFrames.ping(payload))
            #expect(edge.bufferedBytes < 1_024)
        }
        edge.loop.advanceTime(by: .seconds(Limits.Connection.closeSeconds))
        #expect(!edge.channel.isActive)
    }

    // MARK: Back-pressure

    @Test("Nothing is read while nothing can be written")
    func heldReads() {
        edge.channel.read()
        #expect(edge.reads.count == 1)
        edge.setWritable(false)
        edge.channel.read()
        edge.channel.read()
        #expect(edge.reads.count == 1)
        edge.setWritable(true)
        #expect(edge.reads.count == 2)
        edge.setWritable(false)
        edge.setWritable(true)
        #expect(edge.reads.count == 2, "no read was asked for")
    }

    @Test("A read that was held goes on when we close, so that the client's answer is seen")
    func readsWhileClosing() {
        edge.setWritable(false)
        edge.channel.read()
        edge.write(.close(.silent, "quiet"))
        #expect(edge.reads.count == 1)
        edge.channel.read()
        #expect(edge.reads.count == 2)
    }

    @Test("What waits for the socket may reach its bound, and one byte more ends the connection")
    func overflow() throws {
        let bound = Limits.Connection.writeBufferBytes
        edge.write(.binary([UInt8](repeating: 1, count: bound / 2 - 10)))
        edge.write(.binary([UInt8](repeating: 1, count: bound / 2 - 10)))
        #expect(edge.channel.isActive && edge.events.closings.isEmpty)
        edge.write(.binary([]))
        #expect(!edge.channel.isActive)
        #expect(edge.events.closings == [.overflow])
        #expect(try edge.readBuffer() == nil, "what nobody will read is given back")
    }

    @Test("What the socket's own buffer holds counts to the bound")
    func overflowBehindFlush() {
        edge.setWritable(false)
        edge.holdsFlushes.isOn = true
        let half = [UInt8](repeating: 1, count: Limits.Connection.writeBufferBytes / 2)
        edge.write(.binary(half))
        edge.channel.flush()
        #expect(edge.channel.isActive)
        edge.write(.binary(half))
        #expect(edge.events.closings == [.overflow])
        #expect(!edge.channel.isActive)
    }

    // MARK: Closing

    @Test("Our close waits for the client's, and then ends")
    func ourClose() throws {
        edge.write(.close(.silent, "quiet"))
        #expect(try edge.frames().map(\.closeCode) == [CloseCode.silent.rawValue])
        #expect(edge.channel.isActive && edge.events.closings == [.byUs(code: 4005)])
        try edge.receive(ClientFrames.text("too late") + ClientFrames.ping() + ClientFrames.close(4005))
        #expect(!edge.channel.isActive)
        #expect(try edge.frames().isEmpty)
        #expect(edge.events.messages.isEmpty)
    }

    @Test("A client that does not answer our close is left after its time")
    func closeDeadline() {
        edge.write(.close(.silent, "quiet"))
        edge.loop.advanceTime(by: .seconds(Limits.Connection.closeSeconds) - .nanoseconds(1))
        #expect(edge.channel.isActive)
        edge.loop.advanceTime(by: .nanoseconds(1))
        #expect(!edge.channel.isActive)
    }

    @Test("Nothing is sent after our close, and a second one is none")
    func afterClose() throws {
        edge.write(.close(.silent, "quiet"))
        let promise = edge.channel.eventLoop.makePromise(of: Void.self)
        edge.channel.writeAndFlush(WebSocketOutbound.text([65]), promise: promise)
        edge.write(.close(.stalled, "again"))
        edge.channel.flush()
        #expect(throws: ChannelError.outputClosed) { try promise.futureResult.wait() }
        #expect(try edge.frames().count == 1)
    }

    @Test(
        "A client's close is answered with its code, and the connection ends",
        arguments: [nil, 1000, 4321] as [UInt16?])
    func theirClose(code: UInt16?) throws {
        try edge.receive(ClientFrames.close(code) + ClientFrames.text("behind it"))
        let frames = try edge.frames()
        #expect(frames.count == 1 && frames.first?.opcode == 0x8 && frames.first?.closeCode == code)
        #expect(!edge.channel.isActive)
        #expect(edge.events.closings == [.byPeer(code: code)] && edge.events.messages.isEmpty)
    }

    @Test("A broken frame is answered once, and what follows is thrown away")
    func violation() throws {
        try edge.receive(ClientFrames.text("good") + ClientFrames.frame(0x1, [65], key: nil))
        #expect(edge.events.messages == [.text(ByteBuffer(string: "good"))])
        #expect(try edge.frames().map(\.closeCode) == [CloseCode.protocolError.rawValue])
        #expect(edge.events.closings == [.violation(.unmasked)])
    }

    @Test("A reason that is too long for a control frame is cut at a character")
    func longReason() throws {
        edge.write(.close(code: 4001, reason: String(repeating: "ü", count: 100)))
        let frame = try #require(try edge.frames().first)
        #expect(frame.payload.count == 124 && String(validating: frame.payload.dropFirst(2), as: UTF8.self) != nil)
    }

    @Test("The end of the socket fails what waits and is told once")
    func socketEnds() throws {
        let promise = edge.channel.eventLoop.makePromise(of: Void.self)
        edge.channel.write(WebSocketOutbound.text([65]), promise: promise)
        edge.channel.close(promise: nil)
        #expect(throws: ChannelError.ioOnClosedChannel) { try promise.futureResult.wait() }
        edge.loop.advanceTime(by: .seconds(60))
        #expect(edge.events.closings.isEmpty)
    }

    private func pong(_ byte: UInt8) -> ServerFrame { ServerFrame(opcode: 0xA, payload: [byte]) }
}

/// A number that closures may change.
final class Counted {
    var count = 0
    var isOn = false
}

/// The handler on a channel without a network: before it one that counts reads, behind it one that keeps what came.
final class WebSocketEdge {
    let loop = EmbeddedEventLoop()
    let channel: EmbeddedChannel
    let events = Events()
    let reads = Counted()
    /// While on, a flush does not reach the socket: what was written waits in its buffer.
    let holdsFlushes = Counted()

    init() {
        channel = EmbeddedChannel(loop: loop)
        let pipeline = channel.pipeline.syncOperations
        do {
            try pipeline.addHandlers([Socket(reads, holdsFlushes), WebSocketHandler(), events])
            channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        } catch {
            Issue.record(error)
        }
        reads.count = 0
    }

    deinit {
        holdsFlushes.isOn = false
        channel.close(promise: nil)
        loop.run()
    }

    func write(_ frame: WebSocketOutbound) { channel.write(frame, promise: nil) }

    func receive(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    func setWritable(_ isWritable: Bool) {
        channel.isWritable = isWritable
        channel.pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    func readBuffer() throws -> ByteBuffer? { try channel.readOutbound(as: ByteBuffer.self) }

    /// All frames that were flushed since the last call.
    func frames() throws -> [ServerFrame] {
        var all = ByteBuffer()
        while var buffer = try readBuffer() { all.writeBuffer(&buffer) }
        return ServerFrame.readAll(from: &all)
    }

    var bufferedBytes: Int { (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// What the handlers behind see.
    final class Events: ChannelInboundHandler {
        typealias InboundIn = WebSocketInbound

        private(set) var messages: [WebSocketInbound] = []
        private(set) var closings: [WebSocketClosing] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { messages.append(Self.unwrapInboundIn(data)) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let closing = event as? WebSocketClosing { closings.append(closing) }
        }
    }

    private final class Socket: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer

        private let reads: Counted
        private let holdsFlushes: Counted

        init(_ reads: Counted, _ holdsFlushes: Counted) {
            self.reads = reads
            self.holdsFlushes = holdsFlushes
        }

        func read(context: ChannelHandlerContext) {
            reads.count += 1
            context.read()
        }

        func flush(context: ChannelHandlerContext) {
            if !holdsFlushes.isOn { context.flush() }
        }
    }
}

@available(*, unavailable) extension WebSocketEdge.Events: Sendable {}
