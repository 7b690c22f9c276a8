import BatonCore
import NIOCore
import Testing

@testable import BatonRedis

@Suite("Redis' protocol")
struct WireTests {
    @Test("A command is an array of its arguments, whatever their bytes")
    func command() {
        var command = RedisCommand("SET", "")
        command.append([0, 13, 10, 255])
        command.append(42)
        var buffer = ByteBuffer()
        #expect(command.format(into: &buffer))
        let expected =
            Array("*4\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n".utf8) + [0, 13, 10, 255] + Array("\r\n$2\r\n42\r\n".utf8)
        #expect(Array(buffer.readableBytesView) == expected)
        #expect(command.cost >= expected.count)
    }

    static let replies: [(String, RedisValue)] = [
        ("+OK\r\n", .string(Array("OK".utf8))),
        ("-ERR no\r\n", .error("ERR no")),
        (":-42\r\n", .integer(-42)),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("$0\r\n\r\n", .string([])),
        ("*0\r\n", .array([])),
        ("$5\r\na\r\nbc\r\n", .string(Array("a\r\nbc".utf8))),
        (
            "*2\r\n*0\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
            .array([.array([]), .array([.integer(1), .array([.string([120])])])])
        ),
        ("*3\r\n$-1\r\n-ERR in\r\n+x\r\n", .array([.null, .error("ERR in"), .string([120])])),
    ]

    @Test("Replies are parsed however they are cut into pieces")
    func pieces() throws {
        let bytes = Array(Self.replies.map(\.0).joined().utf8)
        for size in [1, 2, 3, 7, bytes.count] {
            var parser = ReplyParser(replyBytes: 1_024)
            var values: [RedisValue] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                try Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { try parser.feed($0) }
                while let value = try parser.next() { values.append(value) }
            }
            #expect(values == Self.replies.map(\.1))
        }
    }

    @Test(
        "What is no reply is an error",
        arguments: ["?\r\n", ":12a\r\n", "$x\r\n", "*9999999999999\r\n", String(repeating: "*1\r\n", count: 9)])
    func broken(text: String) {
        #expect(throws: RedisError.self) { try Self.parse(Array(text.utf8), limit: 1_024) }
    }

    @Test("A reply may have as many bytes as the limit, and not one more")
    func limit() throws {
        let whole = Array("$1000\r\n".utf8) + [UInt8](repeating: 120, count: 1_000) + Array("\r\n".utf8)
        #expect(try Self.parse(whole, limit: 1_032).count == 1)
        #expect(throws: RedisError.self) { try Self.parse(whole, limit: 1_031) }
        // Not complete, and too large already.
        #expect(throws: RedisError.self) { try Self.parse(Array(whole.dropLast(3)), limit: 1_000) }
    }

    @Test("A declared length allocates nothing: only what arrives counts")
    func declaredLength() throws {
        #expect(try Self.parse(Array("*2147483646\r\n$16000000\r\n".utf8), limit: 1_024).isEmpty)
        let endless = Array("*2147483646\r\n".utf8) + Array(repeatElement(Array(":1\r\n".utf8), count: 100).joined())
        #expect(throws: RedisError.self) { try Self.parse(endless, limit: 1_024) }
    }

    @Test("Random bytes never trap the parser")
    func fuzz() {
        var generator = SeededGenerator(seed: 20)
        let alphabet = Array("*$:+-0123456789\r\n\r\n\r\nab".utf8)
        for round in 0..<20_000 {
            let count = Int.random(in: 0..<64, using: &generator)
            let bytes = (0..<count).map { _ in
                round.isMultiple(of: 4)
                    ? UInt8.random(in: 0...255, using: &generator) : alphabet.randomElement(using: &generator) ?? 0
            }
            _ = try? Self.parse(bytes, limit: 256)
        }
        // Replies with one byte changed.
        let good = Array(Self.replies.map(\.0).joined().utf8)
        for index in good.indices {
            var bytes = good
            bytes[index] = UInt8.random(in: 0...255, using: &generator)
            _ = try? Self.parse(bytes, limit: 256)
        }
    }

    static func parse(_ bytes: [UInt8], limit: Int) throws(RedisError) -> [RedisValue] {
        var parser = ReplyParser(replyBytes: limit)
        var values: [RedisValue] = []
        let fed = bytes.withUnsafeBytes { bytes in
            Result { () throws(RedisError) in try parser.feed(bytes) }
        }
        try fed.get()
        while let value = try parser.next() { values.append(value) }
        return values
    }
}
