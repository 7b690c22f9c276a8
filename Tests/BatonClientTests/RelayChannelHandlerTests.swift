import BatonProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonClient

@Suite("A client's connection")
struct RelayChannelHandlerTests {
    final class Recorder: RelayChannelSession {
        var opened = 0
        var messages: [[UInt8]] = []
        var pings = 0
        var ticks = 0
        var endings: [RelayEnding] = []

        func opened(_ channel: RelayChannelHandler<Recorder>) { opened += 1 }
        func received(_ payload: UnsafeRawBufferPointer, on channel: RelayChannelHandler<Recorder>) {
            messages.append(Array(payload))
        }
        func answeredPing() { pings += 1 }
        func readEnded(on channel: RelayChannelHandler<Recorder>) { ticks += 1 }
        func writabilityChanged(_ isWritable: Bool, on channel: RelayChannelHandler<Recorder>) {}
        func closed(_ ending: RelayEnding) { endings.append(ending) }
    }

    private let recorder = Recorder()
    private let handler: RelayChannelHandler<Recorder>
    private let channel: EmbeddedChannel

    init() throws {
        handler = RelayChannelHandler(session: recorder, authority: "relay:80", accessToken: "token")
        channel = EmbeddedChannel(handler: handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80), promise: nil)
    }

    /// The answer that accepts the request that was written.
    private func acceptance(_ encoding: Subprotocol = .proto, on channel: EmbeddedChannel? = nil) throws -> [UInt8] {
        let channel = channel ?? self.channel
        let request = try #require(try channel.readOutbound(as: ByteBuffer.self))
        let text = String(buffer: request)
        #expect(text.contains("Authorization: Bearer token\r\n"))
        #expect(text.contains("Sec-WebSocket-Protocol: \(encoding.rawValue)\r\n"))
        let line = try #require(text.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") })
        let accept = Upgrade.accept(for: String(line.dropFirst(19)))
        return Array(
            """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: \(accept)\r\nSec-WebSocket-Protocol: \(encoding.rawValue)\r\n\r\n
            """.utf8)
    }

    private func receive(_ bytes: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
    }

    private func written() throws -> [UInt8] {
        channel.embeddedEventLoop.run()
        var all: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { all += Array(buffer.readableBytesView) }
        return all
    }

    @Test("The accept of RFC 6455's example is computed")
    func acceptOfTheStandard() {
        #expect(Upgrade.accept(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("A handshake that arrives byte by byte, with a frame behind it, opens the connection")
    func byteByByte() throws {
        for byte in try acceptance() + [0x82, 2, 1, 2] { try receive([byte]) }
        #expect(recorder.opened == 1)
        #expect(recorder.messages == [[1, 2]])
        #expect(recorder.ticks > 0)
    }

    @Test("A connection that speaks JSON sends and takes text frames, and no binary ones")
    func json() throws {
        let recorder = Recorder()
        let handler = RelayChannelHandler(
            session: recorder, authority: "relay:80", accessToken: "token", encoding: .json)
        let channel = EmbeddedChannel(handler: handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80), promise: nil)
        try channel.writeInbound(ByteBuffer(bytes: try acceptance(.json, on: channel) + [0x81, 2, 0x7b, 0x7d]))
        #expect(recorder.messages == [Array("{}".utf8)])

        handler.write(Array("{}".utf8))
        channel.embeddedEventLoop.run()
        let written = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(Array(written.readableBytesView.prefix(2)) == [0x81, 0x82])

        try channel.writeInbound(ByteBuffer(bytes: [0x82, 1, 1]))
        #expect(recorder.messages.count == 1)
        #expect(!handler.isOpen)
    }

    @Test("What is written in one tick leaves in one write, masked")
    func oneWriteATick() throws {
        try receive(try acceptance())
        handler.write([1, 2, 3])
        handler.write([4])
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.run()
        let buffer = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        let bytes = Array(buffer.readableBytesView)
        #expect(bytes.count == 6 + 3 + 6 + 1)
        #expect(Array(bytes[0...1]) == [0x82, 0x83])
        #expect(zip(bytes[6...8], bytes[2...4]).map { $0 ^ $1 } == [1, 2, 3])
    }

    @Test("A ping is answered with its payload")
    func pingIsAnswered() throws {
        try receive(try acceptance())
        try receive([0x89, 2, 8, 9])
        let bytes = try written()
        #expect(bytes[0] == 0x8a)
        #expect([bytes[6] ^ bytes[2], bytes[7] ^ bytes[3]] == [8, 9])
        #expect(recorder.pings == 1)
    }

    @Test("Fragments are put together, also around a ping")
    func fragments() throws {
        try receive(try acceptance())
        try receive([0x02, 1, 1, 0x89, 0, 0x00, 1, 2, 0x80, 1, 3])
        #expect(recorder.messages == [[1, 2, 3]])
    }

    @Test("The server's close frame is answered and told")
    func serverCloses() throws {
        try receive(try acceptance())
        try receive([0x88, 5, 0x0f, 0xa2] + Array("new".utf8))
        let bytes = try written()
        #expect(bytes[0] == 0x88)
        #expect(recorder.endings == [.closed(.displaced, reason: "new")])
    }

    @Test("A refusal's body says why and when to try again")
    func refusal() throws {
        let body = #"{"error":{"code":"overloaded","message":"full","retryable":true,"retryAfterMs":1500}}"#
        try receive(
            Array("HTTP/1.1 503 Service Unavailable\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8))
        guard case .refused(503, let error) = recorder.endings.first else {
            return #expect(Bool(false), "\(recorder.endings)")
        }
        #expect(error.code == .overloaded)
        #expect(error.retryAfter == .milliseconds(1_500))
    }

    @Test(
        "An answer that is not the standard's is refused",
        arguments: [
            "SSH-2.0-x\r\n\r\n", "HTTP/1.1 101 OK\r\n\r\n",
            "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        ])
    func wrongAnswers(answer: String) throws {
        try receive(Array(answer.utf8))
        #expect(recorder.opened == 0)
        guard case .broken = recorder.endings.first else { return #expect(Bool(false), "\(recorder.endings)") }
    }

    @Test("The head of the answer has so many bytes, and not one more", arguments: [0, 1])
    func longHead(excess: Int) throws {
        let acceptance = try acceptance()
        let padding = Upgrade.headBytes - acceptance.count - "X-Long: \r\n".utf8.count + excess
        try receive(
            acceptance.dropLast(2) + Array("X-Long: \(String(repeating: "x", count: padding))\r\n\r\n".utf8))
        #expect(recorder.opened == 1 - excess)
        #expect(recorder.endings.count == excess)
    }

    @Test("A text frame breaks the agreement")
    func textFrame() throws {
        try receive(try acceptance())
        try receive([0x81, 1, 0x61])
        #expect(try written().first == 0x88)
        #expect(recorder.endings.count == 1)
    }
}
