import BatonCore
import BatonEdge
import BatonTestKit
import NIOCore
import Testing

/// The framing on real sockets: what each kind of client gets to see.
@Suite struct EdgeFramingTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var sent: [UInt8]
        var answers: [ServerFrame]
        var close: UInt16?

        init(_ name: String, _ sent: [UInt8], _ answers: [ServerFrame] = [], close: UInt16?) {
            self.name = name
            self.sent = sent
            self.answers = answers
            self.close = close
        }

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case("a text", ClientFrames.text("é") + ClientFrames.close(1000), [.text("é")], close: 1000),
        Case("an empty close", ClientFrames.close(), close: nil),
        Case("a close with a reason", ClientFrames.close(4321, Array("bye".utf8)), close: 4321),
        Case(
            "pings between fragments",
            ClientFrames.text("a", final: false) + ClientFrames.ping([9]) + ClientFrames.continuation([98])
                + ClientFrames.close(1000),
            [ServerFrame(opcode: 0xA, payload: [9]), .text("ab")], close: 1000),
        Case(
            "an unasked pong", ClientFrames.pong([1]) + ClientFrames.text("x") + ClientFrames.close(1000), [.text("x")],
            close: 1000),
        Case("no mask", ClientFrames.frame(0x1, [65], key: nil), close: 1002),
        Case("a reserved bit", ClientFrames.frame(0x1, [65], reserved: 4), close: 1002),
        Case("a reserved opcode", ClientFrames.frame(0x3), close: 1002),
        Case("a reserved control opcode", ClientFrames.frame(0xB), close: 1002),
        Case("a fragmented ping", ClientFrames.frame(0x9, final: false), close: 1002),
        Case("a ping of 126 bytes", ClientFrames.ping(Array(repeating: 0, count: 126)), close: 1002),
        Case("a continuation of nothing", ClientFrames.continuation([1]), close: 1002),
        Case("a message inside a message", ClientFrames.text("a", final: false) + ClientFrames.text("b"), close: 1002),
        Case("a length not minimal", ClientFrames.header(0x2, length: 5, bytes: 2), close: 1002),
        Case("a close of one byte", ClientFrames.frame(0x8, [3]), close: 1002),
        Case("a close with 1005", ClientFrames.close(1005), close: 1002),
        Case("a close with a broken reason", ClientFrames.close(1000, [0xFF]), close: 1007),
        Case("a text that is not UTF-8", ClientFrames.frame(0x1, [0xC0, 0x80]), close: 1007),
        Case(
            "a text broken inside an unfinished frame",
            Array(ClientFrames.frame(0x1, [0xFF] + Array(repeating: 65, count: 50)).prefix(8)),
            close: 1007),
        Case("a message announced too big", ClientFrames.header(0x2, length: 1 << 40, bytes: 8), close: 1009),
        Case(
            "messages after a close", ClientFrames.close(1000) + ClientFrames.text("late") + ClientFrames.ping(),
            close: 1000),
        Case("messages after a violation", ClientFrames.frame(0x3) + ClientFrames.text("late"), close: 1002),
    ]

    @Test("Each client gets its answers, the close code that fits, and the end of the connection", arguments: cases)
    func framing(_ test: Case) async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.echo()
            try await connection.send(test.sent)
            var rest = ByteBuffer(bytes: try await connection.untilEnd())
            let frames = ServerFrame.readAll(from: &rest)
            #expect(frames.dropLast() == test.answers[...])
            #expect(frames.last?.opcode == 0x8)
            #expect(frames.last?.closeCode == test.close)
            #expect(rest.readableBytes == 0)
        }
    }

    @Test("A message of the limit's size comes back whole")
    func large() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.echo()
            let payload = (0..<Limits.Frame.messageBytes).map { UInt8(truncatingIfNeeded: $0 >> 3) }
            try await connection.send(ClientFrames.binary(payload))
            let frame = try await connection.frame()
            #expect(frame == ServerFrame(opcode: 0x2, payload: payload))
        }
    }

    @Test("A client that disappears is not kept")
    func disappears() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.echo()
            try await connection.finish()
            #expect(try await connection.untilEnd() == [])
        }
    }

    @Test("A client that floods pings is told so and cut off")
    func pingFlood() async throws {
        try await EdgeFixture.run { edge in
            let connection = try await edge.echo()
            let pings = (0...Limits.Connection.controlFramesPerSecond).flatMap { _ in ClientFrames.ping([1]) }
            try await connection.send(pings)
            var rest = ByteBuffer(bytes: try await connection.untilEnd())
            let frames = ServerFrame.readAll(from: &rest)
            #expect(frames.last?.closeCode == 4001)
            #expect(frames.count <= Limits.Connection.controlFramesPerSecond + 1)
        }
    }
}
