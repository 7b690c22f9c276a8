import BatonCore
import BatonGateway
import BatonProtocol
import BatonTestKit
import NIOCore
import Testing

@Suite struct WebSocketDecoderTests {

    static let conversation: [UInt8] =
        ClientFrames.text("héllo ✓ 𝄞")
        + ClientFrames.binary([])
        + ClientFrames.text("Zusammen", final: false)
        + ClientFrames.ping([1, 2, 3])
        + ClientFrames.continuation([0xF0, 0x9D], final: false)
        + ClientFrames.continuation([0x84, 0x9E])
        + ClientFrames.binary(Array(repeating: 7, count: 126))
        + ClientFrames.pong([5, 6])
        + ClientFrames.binary(Array(0..<255).map { UInt8($0) } + Array(repeating: 9, count: 300))
        + ClientFrames.close(1000, Array("bye".utf8))

    static let expected: [WebSocketDecoder.Event] = [
        .text(ByteBuffer(string: "héllo ✓ 𝄞")),
        .binary(ByteBuffer()),
        .ping(ByteBuffer(bytes: [1, 2, 3])),
        .text(ByteBuffer(string: "Zusammen𝄞")),
        .binary(ByteBuffer(repeating: 7, count: 126)),
        .pong(ByteBuffer(bytes: [5, 6])),
        .binary(ByteBuffer(bytes: Array(0..<255).map { UInt8($0) } + Array(repeating: 9, count: 300))),
        .close(code: 1000),
    ]

    @Test("A conversation is the same however the network cuts it in two")
    func everySplit() throws {
        for split in 0...Self.conversation.count {
            let events = try decode([
                Array(Self.conversation.prefix(split)), Array(Self.conversation.dropFirst(split)),
            ])
            #expect(events == Self.expected, "split at \(split)")
        }
    }

    @Test("A conversation is the same when every byte comes alone")
    func bytewise() throws {
        #expect(try decode(Self.conversation.map { [$0] }) == Self.expected)
    }

    @Test("Payloads of every length around the forms of the header come through", arguments: [true, false])
    func lengths(releasing: Bool) throws {
        var decoder = WebSocketDecoder()
        for length in Array(0...40) + Array(120...130) + Array(65_530...65_540) + [Limits.Frame.messageBytes] {
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            var input = ByteBuffer(bytes: ClientFrames.binary(payload))
            #expect(try decoder.next(&input) == .binary(ByteBuffer(bytes: payload)))
            #expect(try decoder.next(&input) == nil)
            if releasing { decoder.releaseMemory() }
        }
    }

    @Test("A message that is kept is not changed by the next")
    func kept() throws {
        var decoder = WebSocketDecoder()
        var input = ByteBuffer(bytes: ClientFrames.text("first") + ClientFrames.text("other"))
        let first = try decoder.next(&input)
        let second = try decoder.next(&input)
        #expect(first == .text(ByteBuffer(string: "first")))
        #expect(second == .text(ByteBuffer(string: "other")))
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        var name: String
        var bytes: [UInt8]
        var violation: WebSocketViolation
        var testDescription: String { name }
    }

    static let violations: [Wrong] = [
        Wrong(name: "no mask", bytes: ClientFrames.frame(0x1, [65], key: nil), violation: .unmasked),
        Wrong(name: "reserved bit 1", bytes: ClientFrames.frame(0x1, reserved: 4), violation: .reservedBits),
        Wrong(name: "reserved bit 2", bytes: ClientFrames.frame(0x1, reserved: 2), violation: .reservedBits),
        Wrong(name: "reserved bit 3", bytes: ClientFrames.frame(0x9, reserved: 1), violation: .reservedBits),
        Wrong(
            name: "fragmented ping", bytes: ClientFrames.frame(0x9, final: false), violation: .fragmentedControlFrame),
        Wrong(
            name: "fragmented close", bytes: ClientFrames.frame(0x8, final: false), violation: .fragmentedControlFrame),
        Wrong(
            name: "ping of 126 bytes", bytes: ClientFrames.ping(Array(repeating: 0, count: 126)),
            violation: .controlFrameTooLong),
        Wrong(
            name: "continuation of nothing", bytes: ClientFrames.continuation([1]), violation: .continuationWithoutStart
        ),
        Wrong(
            name: "continuation after the end", bytes: ClientFrames.text("a") + ClientFrames.continuation([1]),
            violation: .continuationWithoutStart),
        Wrong(
            name: "text inside a message", bytes: ClientFrames.text("a", final: false) + ClientFrames.text("b"),
            violation: .messageInsideMessage),
        Wrong(
            name: "binary inside a message", bytes: ClientFrames.text("a", final: false) + ClientFrames.binary([1]),
            violation: .messageInsideMessage),
        Wrong(
            name: "125 in two bytes", bytes: ClientFrames.header(0x2, length: 125, bytes: 2),
            violation: .lengthNotMinimal),
        Wrong(
            name: "65535 in eight bytes", bytes: ClientFrames.header(0x2, length: 65_535, bytes: 8),
            violation: .lengthNotMinimal),
        Wrong(
            name: "highest bit of the length", bytes: ClientFrames.header(0x2, length: 1 << 63, bytes: 8),
            violation: .lengthNotMinimal),
        Wrong(
            name: "one byte above the limit, announced",
            bytes: ClientFrames.header(0x2, length: UInt64(Limits.Frame.messageBytes) + 1, bytes: 8),
            violation: .messageTooBig),
        Wrong(
            name: "all the bytes there are, announced",
            bytes: ClientFrames.header(0x2, length: UInt64(Int64.max), bytes: 8), violation: .messageTooBig),
        Wrong(
            name: "fragments above the limit together",
            bytes: ClientFrames.binary(Array(repeating: 0, count: Limits.Frame.messageBytes), final: false)
                + ClientFrames.continuation([1]),
            violation: .messageTooBig),
        Wrong(
            name: "too many empty fragments",
            bytes: ClientFrames.binary([], final: false)
                + (0..<Limits.Frame.fragments).flatMap { _ in ClientFrames.continuation([], final: false) },
            violation: .tooManyFragments),
        Wrong(name: "close of one byte", bytes: ClientFrames.frame(0x8, [3]), violation: .closeFrameTooShort),
        Wrong(
            name: "close with a broken reason", bytes: ClientFrames.close(1000, [0xCE, 0xBA, 0xE1]),
            violation: .invalidUTF8),
        Wrong(name: "text with a lone continuation", bytes: ClientFrames.frame(0x1, [0x80]), violation: .invalidUTF8),
        Wrong(
            name: "text cut inside a character", bytes: ClientFrames.frame(0x1, [0xE2, 0x9C]), violation: .invalidUTF8),
        Wrong(
            name: "text cut inside a character of two frames",
            bytes: ClientFrames.frame(0x1, [0xE2], final: false) + ClientFrames.continuation([0x9C]),
            violation: .invalidUTF8),
    ]

    @Test("What breaks the protocol is named, cut anywhere", arguments: violations)
    func violation(_ wrong: Wrong) {
        let splits = wrong.bytes.count > 2_000 ? [0, 1, wrong.bytes.count - 1] : Array(0...wrong.bytes.count)
        for split in splits {
            #expect(throws: wrong.violation) {
                _ = try decode([Array(wrong.bytes.prefix(split)), Array(wrong.bytes.dropFirst(split))])
            }
        }
    }

    @Test("Every reserved opcode is refused at its first byte", arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
    func opcodes(opcode: UInt8) {
        #expect(throws: WebSocketViolation.unknownOpcode(opcode)) { _ = try decode([[0x80 | opcode]]) }
    }

    @Test("A message at the limit is taken, in one frame and in as many as are allowed")
    func atTheLimit() throws {
        let whole = Array(repeating: UInt8(5), count: Limits.Frame.messageBytes)
        #expect(try decode([ClientFrames.binary(whole)]) == [.binary(ByteBuffer(bytes: whole))])
        let piece = Array(repeating: UInt8(5), count: Limits.Frame.messageBytes / Limits.Frame.fragments)
        var bytes = ClientFrames.binary(piece, final: false)
        for _ in 2..<Limits.Frame.fragments { bytes += ClientFrames.continuation(piece, final: false) }
        bytes += ClientFrames.continuation(piece)
        #expect(try decode([bytes]) == [.binary(ByteBuffer(bytes: whole))])
    }

    @Test("A text is refused at its first wrong byte, inside an unfinished frame")
    func failsEarly() throws {
        var decoder = WebSocketDecoder()
        let frame = ClientFrames.frame(0x1, Array("abc".utf8) + [0xED, 0xA0, 0x80] + Array(repeating: 0x41, count: 90))
        var input = ByteBuffer(bytes: frame.prefix(2 + 4 + 4))
        #expect(try decoder.next(&input) == nil)
        input = ByteBuffer(bytes: [frame[10]])
        #expect(throws: WebSocketViolation.invalidUTF8) { _ = try decoder.next(&input) }
    }

    @Test("Close codes are those that may be sent")
    func closeCodes() throws {
        let allowed = Set(Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
        for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535] + allowed.sorted() {
            let bytes = ClientFrames.close(UInt16(code))
            if allowed.contains(code) {
                #expect(try decode([bytes]) == [.close(code: UInt16(code))])
            } else {
                #expect(throws: WebSocketViolation.closeCodeNotAllowed(UInt16(code))) { _ = try decode([bytes]) }
            }
        }
        #expect(try decode([ClientFrames.close()]) == [.close(code: nil)])
    }

    @Test("Random bytes never trap, and hold no more than they are")
    func random() {
        var generator = SeededGenerator(seed: 0xBA70)
        for _ in 0..<5_000 {
            var decoder = WebSocketDecoder()
            var alive = true
            for _ in 0..<4 where alive {
                var bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                // Nearly all random bytes fail at the first one; these get further.
                if bytes.count > 1, Bool.random(using: &generator) {
                    bytes[0] = [0x01, 0x02, 0x81, 0x82, 0x80, 0x00, 0x89, 0x8A].randomElement(using: &generator)!
                    bytes[1] = 0x80 | UInt8.random(in: 0...60, using: &generator)
                }
                var input = ByteBuffer(bytes: bytes)
                do {
                    while try decoder.next(&input) != nil {}
                    #expect(input.readableBytes == 0)
                } catch {
                    alive = false
                }
            }
        }
    }

    @Test("Valid frames cut at random places come out as they went in")
    func randomCuts() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            var expected: [WebSocketDecoder.Event] = []
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let payload = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                expected.append(.binary(ByteBuffer(bytes: payload)))
                let cut = Int.random(in: 0...payload.count, using: &generator)
                bytes += ClientFrames.binary(Array(payload.prefix(cut)), final: false)
                bytes += ClientFrames.continuation(Array(payload.dropFirst(cut)))
            }
            var chunks: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let size = Int.random(in: 1...64, using: &generator)
                chunks.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(try decode(chunks) == expected)
        }
    }

    private func decode(_ chunks: [[UInt8]]) throws -> [WebSocketDecoder.Event] {
        var decoder = WebSocketDecoder()
        var events: [WebSocketDecoder.Event] = []
        for chunk in chunks {
            var input = ByteBuffer(bytes: chunk)
            while let event = try decoder.next(&input) { events.append(event) }
        }
        return events
    }
}
