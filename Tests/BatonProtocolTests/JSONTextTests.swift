import BatonCore
import Foundation
import SwiftProtobuf
import Testing

@testable import BatonProtocol

@Suite("Text in JSON")
struct JSONTextTests {
    @Test("The names and places that were stored as others are what they are")
    func fromTheWild() throws {
        let text = #"{"send":{"ref":"\ud842\udfb7","content":{"text":"\ud842\udfb7\u91ce\u5bb6"}}}"#
        guard case .send(let send) = try FrameCodec.decode(Array(text.utf8), as: .json) else {
            Issue.record("not a send")
            return
        }
        #expect(send.content.text == "\u{20BB7}野家")
        #expect(send.ref == "\u{20BB7}")
    }

    @Test("Every code point is itself, escaped and as it is", arguments: 0...16)
    func everyCodePoint(plane: UInt32) throws {
        let scalars = (plane << 16...plane << 16 | 0xffff).filter { !(0xd800...0xdfff).contains($0) }
        var expected: [UInt8] = []
        expected.reserveCapacity(4 * scalars.count)
        for scalar in scalars { Self.append(scalar, to: &expected) }
        let escaped = Self.frame(Self.escaped(scalars))
        let raw = Self.frame(plane == 0 ? Self.raw(expected) : expected)
        for text in [escaped, raw] {
            guard case .ping(let ping) = try FrameCodec.decode(text, as: .json) else {
                Issue.record("not a ping")
                return
            }
            #expect(Self.firstDifference(Array(ping.nonce.utf8), expected) == nil)
        }
    }

    @Test("Every code point that a node writes is itself, as another reader of JSON reads it", arguments: 0...16)
    func everyCodePointWritten(plane: UInt32) throws {
        let scalars = (plane << 16...plane << 16 | 0xffff).compactMap(Unicode.Scalar.init)
        var frame = WireServerFrame()
        frame.pong.nonce.unicodeScalars.append(contentsOf: scalars)
        let bytes = try FrameCodec.encode(frame, as: .json)
        let object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: [String: String]]
        let read = try #require(object?["pong"]?["nonce"])
        let again = try FrameCodec.decodeServerFrame(bytes, as: .json).pong.nonce
        for text in [read, again] {
            #expect(Self.firstDifference(Array(text.utf8), Array(frame.pong.nonce.utf8)) == nil)
        }
    }

    @Test("Every string of every frame and every body is read alike, escaped and as it is")
    func everyString() throws {
        // Each high half with a low one, each low half with a high one, and the ends of each row of the first plane.
        var scalars: [UInt32] = []
        for half: UInt32 in 0..<1_024 { scalars.append(0x10000 + (half << 10 | 1_023 - half)) }
        for row: UInt32 in 0..<0x100 where !(0xd8...0xdf).contains(row) {
            scalars += [row << 8, row << 8 | 0x7f, row << 8 | 0xff]
        }
        scalars += 0x80...0x7ff
        var expected: [UInt8] = []
        for scalar in scalars { Self.append(scalar, to: &expected) }
        let escaped = Self.quoted(Self.escaped(scalars))
        let raw = Self.quoted(Self.raw(expected))

        var strings = 0
        for type in Self.messages {
            let message = try #require(WireSchema.shared.index(of: type.protoMessageName))
            let fields = WireSchema.shared.fields[WireSchema.shared.messages[message].fields]
            for field in fields where field.kind == .string {
                try check(type, field, escaped: escaped, raw: raw, expected)
                strings += 1
            }
        }
        #expect(strings > 50)
        #expect(Set(Self.messages.map { $0.protoMessageName }) == Set(WireSchema.shared.messages.map(\.name)))
    }

    private func check<Message: SwiftProtobuf.Message>(
        _ type: Message.Type, _ field: WireSchema.Field, escaped: [UInt8], raw: [UInt8], _ expected: [UInt8]
    ) throws {
        let name = WireSchema.shared.name(of: field)
        let (before, behind) = field.isRepeated ? ("{\"\(name)\":[", "]}") : ("{\"\(name)\":", "}")
        let one = try WireJSON.decode(type, from: Array(before.utf8) + escaped + Array(behind.utf8))
        let other = try WireJSON.decode(type, from: Array(before.utf8) + raw + Array(behind.utf8))
        let bytes: [UInt8] = try one.serializedBytes()
        #expect(Self.firstDifference(try other.serializedBytes(), bytes) == nil, "\(type) \(name)")
        #expect(Self.firstDifference(Array(bytes.suffix(expected.count)), expected) == nil, "\(type) \(name)")
    }

    @Test(
        "Half a character is refused, wherever the other half is missing",
        arguments: [
            #"\ud800"#, #"\udc00"#, #"\udfff\ud800"#, #"\ud800x"#, #"\ud800\n"#, #"\ud800\u0041"#,
            #"\ud842\ud842\udfb7"#,
            #"\ud842"# + "野", #"\ud842 \udfb7"#, #"\ud842\"#, #"\ud842\u"#, #"\ud842\udfb"#, #"\uD800\uDBFF"#,
        ])
    func halves(text: String) {
        #expect(throws: FrameError.self) {
            try FrameCodec.decode(Array(#"{"ping":{"nonce":"\#(text)"}}"#.utf8), as: .json)
        }
    }

    @Test("The short escapes and hexadecimal digits of both cases are read")
    func escapes() throws {
        let text = #"{"ping":{"nonce":"\"\\\/\b\f\n\r\t\u0000\u00e9\u00E9\uD83D\uDE00\ud83d\ude00"}}"#
        guard case .ping(let ping) = try FrameCodec.decode(Array(text.utf8), as: .json) else {
            Issue.record("not a ping")
            return
        }
        #expect(ping.nonce == "\"\\/\u{8}\u{c}\n\r\t\u{0}éé😀😀")
    }

    @Test("A name may be escaped as any string")
    func escapedNames() throws {
        let text = #"{"\u0070ing":{"n\u006fnce":"x","later\n":1}}"#
        #expect(try FrameCodec.decode(Array(text.utf8), as: .json) == .ping(.with { $0.nonce = "x" }))
        let twice = #"{"ping":{"nonce":"x","n\u006fnce":"y"}}"#
        #expect(throws: FrameError.self) { try FrameCodec.decode(Array(twice.utf8), as: .json) }
    }

    @Test("A body that is not UTF-8 is refused, anywhere in it")
    func notUTF8() {
        for wrong: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe9]] {
            for (before, behind) in [
                (#"{"handle":""#, #""}"#), (#"{"later":""#, #""}"#), (#"{""#, #"":1}"#), ("{}", ""),
            ] {
                let text = Array(before.utf8) + wrong + Array(behind.utf8)
                do throws(WireFault) {
                    _ = try WireJSON.decode(WireLogin.self, from: text)
                    Issue.record("taken: \(text)")
                } catch {
                    #expect(error.message == "the text is not UTF-8: the first wrong byte is byte \(before.utf8.count)")
                }
            }
        }
    }

    // MARK: Help

    private static let messages: [any SwiftProtobuf.Message.Type] = [
        WireClientFrame.self, WireServerFrame.self, WireHello.self, WireResume.self, WireSend.self, WireContent.self,
        WireAck.self, WireRead.self, WireTyping.self, WireWatch.self, WirePing.self, WireWelcome.self,
        WireAccepted.self, WireRejected.self, WireError.self, WireEvent.self, WireMessage.self, WireReceipt.self,
        WireCaughtUp.self, WirePresenceUpdate.self, WireTypingNotice.self, WirePong.self, WireGoAway.self,
        WireNewAccount.self, WireProfile.self, WireProfileChange.self, WireLogin.self, WirePasswordChange.self,
        WireDevicesRequest.self,
        WireRefreshRequest.self, WireTokens.self, WireDeviceInfo.self, WireDeviceList.self, WireMember.self,
        WireConversation.self, WireConversationList.self, WireHistory.self, WireErrorResponse.self,
    ]

    /// Where two texts differ. Of bytes, because equal text may be composed in another way; and not left to `#expect`,
    /// which would print them.
    private static func firstDifference(_ one: [UInt8], _ other: [UInt8]) -> Int? {
        guard one != other else { return nil }
        return zip(one, other).enumerated().first { $1.0 != $1.1 }?.offset ?? min(one.count, other.count)
    }

    private static func frame(_ text: [UInt8]) -> [UInt8] {
        Array(#"{"ping":{"nonce":"#.utf8) + quoted(text) + Array("}}".utf8)
    }

    private static func quoted(_ text: [UInt8]) -> [UInt8] { [0x22] + text + [0x22] }

    /// UTF-8 as it is, but for what has to be escaped.
    private static func raw(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c ? [$0] : escaped([UInt32($0)]) }
    }

    /// UTF-16, as `json.dumps` of Python writes it.
    private static func escaped(_ scalars: [UInt32]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(12 * scalars.count)
        func append(_ unit: UInt32) {
            text.append(0x5c)
            text.append(0x75)
            for shift: UInt32 in [12, 8, 4, 0] { text.append(digits[Int(unit >> shift & 0xf)]) }
        }
        for scalar in scalars {
            if scalar < 0x10000 {
                append(scalar)
            } else {
                append(0xd800 | (scalar - 0x10000) >> 10)
                append(0xdc00 | (scalar - 0x10000) & 0x3ff)
            }
        }
        return text
    }

    /// Its UTF-8, as the standard library writes it.
    private static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalar) else { return }
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}
