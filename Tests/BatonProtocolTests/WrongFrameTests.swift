import BatonCore
import BatonProtocol
import BatonTestKit
import Testing

@Suite("What is told of a wrong frame")
struct WrongFrameTests {
    private static let user = UserID(rawValue: 7).description
    private static let conversation = ConversationID(group: 7).description

    private static func frames(_ encoding: Subprotocol) throws -> [WrongFrame] {
        switch encoding {
        case .json: try WrongFrames.json(user: user, conversation: conversation)
        case .proto: try WrongFrames.protobuf(user: user, conversation: conversation)
        }
    }

    @Test(
        "Whatever is wrong with whatever field: it is named, a send's ref comes back, and any other frame's kind",
        arguments: Subprotocol.allCases)
    func wrongFrames(encoding: Subprotocol) throws {
        let frames = try Self.frames(encoding)
        #expect(frames.count > 400)
        for frame in frames {
            guard let error = Self.error(frame.payload, encoding) else {
                Issue.record("taken: \(frame.testDescription)")
                continue
            }
            #expect(error.error.code == ErrorCode.malformedFrame.rawValue, "\(frame.testDescription)")
            #expect(error.ref == frame.ref, "\(frame.testDescription): \(error)")
            #expect((1..<400).contains(error.error.message.utf8.count), "\(error.error.message)")
            if let kind = frame.kind, frame.ref == nil {
                #expect(error.error.frame == kind, "\(frame.testDescription)")
            }
            guard let field = frame.field else { continue }
            let found = error.error.field
            #expect(found == field || found.hasPrefix(field + "."), "\(frame.testDescription): \(error)")
            #expect(error.error.message.hasPrefix(found + " "), "\(error.error.message)")
        }
    }

    @Test("The samples that they are made of are right", arguments: Subprotocol.allCases)
    func samples(encoding: Subprotocol) throws {
        for frame in WrongFrames.samples(user: Self.user, conversation: Self.conversation) {
            #expect(try FrameCodec.decode(try FrameCodec.encode(frame, as: encoding), as: encoding) == frame.frame)
        }
    }

    @Test("An error names what it answers: the nonce of a ping, the conversation of a read or a typing")
    func answered() {
        let ping = Self.error(#"{"ping":{"nonce":"7","nonce":"8"}}"#)
        #expect(ping?.error.frame == "ping" && ping?.error.nonce == "7")
        let read = Self.error(#"{"read":{"sequence":"x","conversation":"g-1"}}"#)
        #expect(read?.error.frame == "read" && read?.error.conversation == "g-1" && read?.error.field == "sequence")
        let typing = Self.error(#"{"typing":{"conversation":"g-1","active":"yes"}}"#)
        #expect(typing?.error.frame == "typing" && typing?.error.conversation == "g-1")
        let send = Self.error(#"{"send":{"ref":7}}"#)
        #expect(send?.error.frame == "send" && send?.ref == nil)
    }

    @Test(
        "The words say what came and what is allowed",
        arguments: [
            (#"{"send":{"ref":5}}"#, "ref has to be a string, and is 5"),
            (#"{"send":{"user":17}}"#, "user has to be a string, and is 17"),
            (#"{"send":{"content":{"data":"*"}}}"#, #"content.data has to be base64, and is "*""#),
            (#"{"send":{"content":{"text":"a\ud842b"}}}"#, #"content.text has half a character: \ud842"#),
            (
                #"{"send":{"user":"a","conversation":"b"}}"#,
                "conversation stands beside user; only one of them is allowed"
            ),
            (#"{"send":{},"ping":{}}"#, "ping stands beside send; only one of them is allowed"),
            (
                #"{"ack":{"inboxSequence":1e400}}"#,
                "inboxSequence has to be a whole number from 0 to 18446744073709551615, and is 1e400"
            ),
            (
                #"{"ack":{"inboxSequence":"1.5"}}"#,
                #"inboxSequence has to be a whole number from 0 to 18446744073709551615, and is "1.5""#
            ),
            (#"{"typing":{"active":[true]}}"#, "active has to be true or false, and is an array"),
            (#"{"watch":{"users":"u"}}"#, #"users has to be an array, each of it a string, and is "u""#),
            (#"{"hello":1}"#, "hello has to be an object, and is 1"),
            (#"{"ping":{"nonce":"a\#u{7}b"}}"#, "nonce has a control character that is not escaped, at byte 19"),
            (#"{"ping":{"nonce":"\x"}}"#, #"nonce has an escape that JSON does not have: \x"#),
            (#"{"ping":{"later":NaN}}"#, "later is NaN, which is not JSON, at byte 17"),
            (#"{"ping":{"nonce":"a" "x"}}"#, #"the text is not JSON: at byte 21 is ", where a comma or } belongs"#),
            (#"{"ping":{"nonce":"a""#, "the text is not JSON: it ends at byte 20, where a comma or } belongs"),
            (#"[1]"#, "the text has to be one JSON object, and is an array"),
            (#"{"ping":{}}{"ping":{}}"#, "the text has to be one JSON object; at byte 11 another value follows"),
        ])
    func words(text: String, message: String) {
        #expect(Self.error(text)?.error.message == message)
    }

    @Test("In protobuf they name the field as well")
    func protobufWords() {
        func message(_ bytes: [UInt8]) -> String? { Self.error(bytes, .proto)?.error.message }
        #expect(message([0x12, 2, 0x08, 5]) == "ref has to be a string, and is a number")
        #expect(message([0x3a, 4, 0x0a, 2, 0x61, 0xff]) == "nonce is not UTF-8")
        #expect(
            message([0x3a, 2, 0x0a, 9])
                == "the frame is not protobuf: the value at byte 3 has no end within its message")
        #expect(message([0x3a, 0, 0x12, 0]) == "send stands beside ping; only one of them is allowed")
    }

    @Test("A text that nests as deep as is allowed is read, one level more is not")
    func nesting() {
        func ping(_ levels: Int) -> String {
            let arrays = levels - 2
            return #"{"ping":{"nonce":"n","later":"#
                + String(repeating: "[", count: arrays) + String(repeating: "]", count: arrays) + "}}"
        }
        #expect(Self.error(ping(Limits.Frame.nesting)) == nil)
        let error = Self.error(ping(Limits.Frame.nesting + 1))
        #expect(error?.error.message.contains("deeper than \(Limits.Frame.nesting)") == true)
        #expect(error?.error.nonce == "n")

        func groups(_ levels: Int) -> [UInt8] {
            [0x3a, 3, 0x0a, 1, 0x6e] + [UInt8](repeating: 0x7b, count: levels) + [UInt8](repeating: 0x7c, count: levels)
        }
        #expect(Self.error(groups(Limits.Frame.nesting), .proto) == nil)
        #expect(Self.error(groups(Limits.Frame.nesting + 1), .proto)?.error.nonce == "n")
    }

    @Test(
        "What stands in an unknown field is not looked at, as long as it is JSON",
        arguments: [
            "1e400", "-0", "-0.0", String(repeating: "9", count: 100_000),
            "0." + String(repeating: "1", count: 100_000),
            "1E-999999999999999999999", #""\ud800""#, #"{"a":1,"a":2}"#, #"[{},[],{"b":[null,true,false,""]}]"#, "null",
        ])
    func unknownFields(value: String) {
        for text in [#"{"later":\#(value),"ping":{"nonce":"n"}}"#, #"{"ping":{"later":\#(value),"nonce":"n"}}"#] {
            #expect(Self.error(text) == nil)
        }
    }

    @Test("Null is the same as nothing, also beside another of a choice")
    func null() throws {
        let text =
            #"{"hello":null,"send":{"ref":"r","user":null,"conversation":"c","content":{"data":null,"text":"t"}}}"#
        guard case .send(let send) = try FrameCodec.decode(Array(text.utf8), as: .json) else {
            Issue.record("not a send")
            return
        }
        #expect(send.conversation == "c" && send.content.text == "t")
    }

    private static func error(_ text: String) -> FrameError? { error(Array(text.utf8), .json) }

    private static func error(_ bytes: [UInt8], _ encoding: Subprotocol) -> FrameError? {
        do throws(FrameError) {
            _ = try FrameCodec.decode(bytes, as: encoding)
            return nil
        } catch {
            return error
        }
    }
}
