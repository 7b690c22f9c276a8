import BatonCore
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonRedis

@Suite("One connection to Redis")
struct RedisHandlerTests {
    private static func connected(
        _ change: (inout RedisSettings) -> Void = { _ in }
    ) throws -> (EmbeddedChannel, RedisHandler) {
        var settings = RedisSettings(url: RedisURL(host: "127.0.0.1", port: 1))
        change(&settings)
        let handler = RedisHandler(settings: settings)
        let channel = EmbeddedChannel(handler: handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return (channel, handler)
    }

    private static func reply(_ text: String, to channel: EmbeddedChannel) throws {
        try channel.writeInbound(ByteBuffer(string: text))
    }

    @Test("All commands of one tick are one write")
    func oneWrite() throws {
        let (channel, handler) = try Self.connected()
        for _ in 0..<3 { handler.send(RedisCommand("PING")) { _ in } }
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        channel.embeddedEventLoop.run()
        let ping = "*1\r\n$4\r\nPING\r\n"
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: ping + ping + ping))
        #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
        handler.send(RedisCommand("PING")) { _ in }
        channel.embeddedEventLoop.run()
        #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: ping))
    }

    @Test("Replies go to their commands in order, errors among them")
    func replies() throws {
        let (channel, handler) = try Self.connected()
        var results: [Result<RedisValue, RedisError>] = []
        for _ in 0..<3 { handler.send(RedisCommand("GET", "x")) { results.append($0) } }
        try Self.reply("+a\r\n-WRONG", to: channel)
        try Self.reply("TYPE no\r\n:3\r\n", to: channel)
        #expect(results == [.success(.string([97])), .failure(.refused("WRONGTYPE no")), .success(.integer(3))])
        #expect(handler.pendingCommands == 0)
    }

    @Test("A late reply closes the connection, and everything that waits is told")
    func late() throws {
        let (channel, handler) = try Self.connected()
        var results: [Result<RedisValue, RedisError>] = []
        var cause: RedisError?
        handler.onClosed = { cause = $0 }
        handler.send(RedisCommand("PING")) { results.append($0) }
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1_500))
        handler.send(RedisCommand("PING")) { results.append($0) }
        try Self.reply("+PONG\r\n", to: channel)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1_999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        #expect(results == [.success(.string(Array("PONG".utf8))), .failure(.timedOut)])
        #expect(cause == .timedOut)
        handler.send(RedisCommand("PING")) { results.append($0) }
        #expect(results.last == .failure(.connectionLost))
    }

    @Test("A broken reply, and one that nobody asked for, close the connection", arguments: ["?\r\n", "+OK\r\n"])
    func broken(text: String) throws {
        let (channel, handler) = try Self.connected()
        var cause: RedisError?
        handler.onClosed = { cause = $0 }
        try Self.reply(text, to: channel)
        #expect(!channel.isActive)
        guard case .brokenReply = cause else { return #expect(Bool(false), "\(String(describing: cause))") }
    }

    @Test("The command beyond the bound is refused at once, the others are not harmed")
    func bound() throws {
        let (channel, handler) = try Self.connected { $0.pendingCommands = 3 }
        var results: [Result<RedisValue, RedisError>] = []
        for _ in 0..<4 { handler.send(RedisCommand("PING")) { results.append($0) } }
        #expect(results == [.failure(.overloaded)])
        try Self.reply("+1\r\n+2\r\n+3\r\n", to: channel)
        #expect(results.count == 4)
        #expect(channel.isActive)
    }

    @Test("Published messages are no replies")
    func messages() throws {
        let (channel, handler) = try Self.connected()
        var messages: [String] = []
        var results = 0
        handler.onMessage = { messages.append(String(decoding: $0 + [58] + $1, as: UTF8.self)) }
        handler.send(RedisCommand("SUBSCRIBE", "a", "b"), completions: [{ _ in results += 1 }, { _ in results += 1 }])
        let message = "*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n"
        try Self.reply(
            "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n\(message)*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n\(message)",
            to: channel)
        #expect(messages == ["a:hi", "a:hi"])
        #expect(results == 2)
        #expect(channel.isActive)
    }

    @Test("Random bytes end the connection at worst, and each command is answered exactly once")
    func fuzz() throws {
        var generator = SeededGenerator(seed: 3)
        let alphabet = Array("*$:+-0123456789\r\n\r\nmessage".utf8)
        for _ in 0..<500 {
            let (channel, handler) = try Self.connected()
            handler.onMessage = { _, _ in }
            var answers = 0
            for _ in 0..<8 { handler.send(RedisCommand("PING")) { _ in answers += 1 } }
            for _ in 0..<8 {
                let bytes = (0..<16).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
            }
            _ = try? channel.finish()
            #expect(answers == 8)
        }
    }
}
