import BatonCore
import BatonProtocol
import BatonTestKit
import Testing

@Suite("Frames of clients")
struct FrameCodecTests {
    private static let kinds = ["hello", "send", "ack", "read", "typing", "watch", "ping"]

    @Test("Every kind comes back from both encodings", arguments: Subprotocol.allCases)
    func roundTrip(encoding: Subprotocol) throws {
        for frame in try Self.frames() {
            let bytes = try FrameCodec.encode(frame, as: encoding)
            #expect(try FrameCodec.decode(bytes, as: encoding) == frame.frame)
        }
    }

    @Test("A frame that is cut anywhere is refused or read, and nothing traps", arguments: Subprotocol.allCases)
    func truncated(encoding: Subprotocol) throws {
        for frame in try Self.frames() {
            let bytes = try FrameCodec.encode(frame, as: encoding)
            for count in 0..<bytes.count { check(Array(bytes.prefix(count)), encoding) }
        }
    }

    @Test("Frames with any byte changed are refused or read, and nothing traps", arguments: Subprotocol.allCases)
    func damaged(encoding: Subprotocol) throws {
        var generator = SeededGenerator(seed: 4)
        for frame in try Self.frames() {
            let bytes = try FrameCodec.encode(frame, as: encoding)
            for index in bytes.indices {
                var damaged = bytes
                damaged[index] = UInt8(truncatingIfNeeded: generator.next())
                check(damaged, encoding)
            }
        }
    }

    @Test("Random bytes are refused or read, and nothing traps", arguments: Subprotocol.allCases)
    func random(encoding: Subprotocol) {
        var generator = SeededGenerator(seed: 5)
        for length in 0..<600 {
            check((0..<(length % 200)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }, encoding)
        }
    }

    @Test("Nesting without end is refused")
    func nesting() {
        let depth = Limits.Frame.messageBytes / 2
        let open = [UInt8](repeating: UInt8(ascii: "["), count: depth)
        check(Array(#"{"unknown":"#.utf8) + open, .json)
        check(Array(#"{"hello":"#.utf8) + open, .json)
        check(Array(repeating: Array(#"{"a":"#.utf8), count: depth / 5).flatMap { $0 }, .json)
        // The beginning of a group in a group.
        check([UInt8](repeating: 0x0b, count: depth), .proto)
        check([UInt8](repeating: 0x7b, count: depth), .proto)
    }

    @Test("A length that is longer than the frame takes no memory and is refused")
    func longLength() {
        for tail: [UInt8] in [[0xff, 0xff, 0xff, 0xff, 0x07], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]] {
            #expect(code([0x12] + tail, .proto) == .malformedFrame)
        }
    }

    @Test(
        "A kind of another version is named, in protobuf by its field",
        arguments: [8, 15, 16, 31, 32, 100, 2_047, 2_048, 536_870_911])
    func unknownField(number: UInt64) {
        var tag = number << 3 | 2
        var bytes: [UInt8] = []
        while tag > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: tag) | 0x80)
            tag >>= 7
        }
        let error = self.error(bytes + [UInt8(tag), 0], .proto)
        #expect(error?.code == ErrorCode.unknownFrame.rawValue)
        #expect(error?.message.contains("field \(number) ") == true, "\(error?.message ?? "none")")
        for kind in Self.kinds { #expect(error?.message.contains(kind) == true) }
    }

    @Test("A kind of another version is named, in JSON by its key, which is cut")
    func unknownKey() {
        let error = self.error(Array(#"{"reaction":{"x":[1,{"y":null}]}}"#.utf8), .json)
        #expect(error?.code == ErrorCode.unknownFrame.rawValue)
        #expect(error?.message.contains(#""reaction""#) == true)
        let long = self.error(Array(#"{"\#(String(repeating: "k", count: 5_000))":1}"#.utf8), .json)
        #expect((long?.message.utf8.count ?? .max) < 200)
        let known = self.error(Array(#"{"ack":null,"zap":1}"#.utf8), .json)
        #expect(known?.message.contains(#""zap""#) == true)
    }

    @Test("An empty frame is called empty")
    func empty() {
        for (bytes, encoding) in [
            ([], Subprotocol.proto), (Array("{}".utf8), .json), (Array(#"{"ack":null}"#.utf8), .json),
        ] {
            let error = self.error(bytes, encoding)
            #expect(error?.code == ErrorCode.unknownFrame.rawValue)
            #expect(error?.message.contains("empty") == true, "\(error?.message ?? "none")")
        }
    }

    @Test("A known kind of a wrong wire type is malformed, not unknown")
    func wrongWireType() {
        let error = self.error([2 << 3, 5], .proto)
        #expect(error?.code == ErrorCode.malformedFrame.rawValue)
        #expect(error?.message.contains("send") == true)
    }

    @Test(
        "Wrong JSON is malformed, and the answer is short",
        arguments: [
            "", "{", "[]", "null", "1", #""hello""#, #"{"hello":1}"#, #"{"hello":[]}"#,
            #"{"ack":{"inboxSequence":-1}}"#,
            #"{"ack":{"inboxSequence":"x"}}"#, #"{"ack":{"inboxSequence":1e99}}"#, #"{"ack":{"inboxSequence":1.5}}"#,
            #"{"ack":{"inboxSequence":18446744073709551616}}"#, #"{"send":{"ref":1}}"#, #"{"typing":{"active":"yes"}}"#,
            #"{"send":{"content":{"data":"*"}}}"#, #"{"hello":{},"ack":{}}"#, #"{"watch":{"users":"u"}}"#,
            "{\"hello\":{}}x",
            "\u{feff}{\"hello\":{}}", #"{"send":{"ref":"\ud800"}}"#,
        ])
    func wrongJSON(text: String) {
        let error = self.error(Array(text.utf8), .json)
        #expect(error?.code == ErrorCode.malformedFrame.rawValue, "\(text)")
        #expect((error?.message.utf8.count ?? .max) < 400)
    }

    @Test("Text that is not UTF-8 is malformed")
    func notUTF8() {
        #expect(code([0x3a, 3, 0x0a, 1, 0xff], .proto) == .malformedFrame)
        #expect(code(Array(#"{"ping":{"nonce":""#.utf8) + [0xff] + Array(#""}}"#.utf8), .json) == .malformedFrame)
    }

    // MARK: Help

    private static func frames() throws -> [WireClientFrame] {
        var frames = [WireClientFrame](repeating: WireClientFrame(), count: 7)
        frames[0].hello.client = "test"
        frames[0].hello.resume.epoch = "0000000000001"
        frames[0].hello.resume.inboxSequence = .max
        frames[1].send.ref = "r"
        frames[1].send.user = "0000000000001"
        frames[1].send.content.text = "héllo \" \u{1} 𝄞"
        frames[1].send.content.mediaType = "text/plain"
        frames[2].ack.inboxSequence = 1 << 40
        frames[3].read.conversation = "g-0000000000001"
        frames[3].read.sequence = 9
        frames[4].typing.conversation = "g-0000000000001"
        frames[4].typing.active = true
        frames[5].watch.users = ["0000000000001", "0000000000002"]
        frames[6].ping.nonce = "n"
        return frames
    }

    private func error(_ bytes: [UInt8], _ encoding: Subprotocol) -> WireError? {
        do throws(FrameError) {
            _ = try FrameCodec.decode(bytes, as: encoding)
            return nil
        } catch {
            return error.error
        }
    }

    private func code(_ bytes: [UInt8], _ encoding: Subprotocol) -> ErrorCode? {
        error(bytes, encoding).flatMap { ErrorCode(rawValue: $0.code) }
    }

    /// It is read, or refused by one of the two errors there are, in a message that fits an answer.
    private func check(_ bytes: [UInt8], _ encoding: Subprotocol) {
        guard let error = error(bytes, encoding) else { return }
        let code = ErrorCode(rawValue: error.code)
        #expect(code == .malformedFrame || code == .unknownFrame)
        #expect(error.message.utf8.count < 1_024)
    }
}
