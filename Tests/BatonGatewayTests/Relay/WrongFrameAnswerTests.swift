import BatonCore
import BatonProtocol
import BatonTestKit
import NIOCore
import NIOEmbedded
import Testing

@testable import BatonGateway

@Suite("Answers to wrong frames")
struct WrongFrameAnswerTests {
    private let relay = RelayFixture()
    private let alice: UserID
    private let bob: UserID

    init() {
        alice = relay.addUser(1)
        bob = relay.addUser(2)
    }

    @Test(
        "Whatever is wrong has one answer, and the ping behind it its pong; a send is told by its ref",
        arguments: Subprotocol.allCases)
    func oneAnswer(encoding: Subprotocol) throws {
        let conversation = try #require(ConversationID(between: alice, and: bob)).description
        let frames =
            switch encoding {
            case .json: try WrongFrames.json(user: bob.description, conversation: conversation)
            case .proto: try WrongFrames.protobuf(user: bob.description, conversation: conversation)
            }
        var behind = WireClientFrame()
        behind.ping.nonce = "behind"
        let ping = try FrameCodec.encode(behind, as: encoding)
        for start in stride(from: 0, to: frames.count, by: Limits.Connection.wrongFrames) {
            let client = relay.greet(alice, encoding: encoding)
            for frame in frames[start..<min(start + Limits.Connection.wrongFrames, frames.count)] {
                client.receive(payloads: [frame.payload, ping])
                let answers = client.frames()
                #expect(answers.count == 2, "\(frame.testDescription): \(answers)")
                guard case .pong(let pong)? = answers.last, pong.nonce == "behind" else {
                    Issue.record("no pong: \(frame.testDescription): \(answers)")
                    continue
                }
                switch answers.first {
                case .rejected(let rejected):
                    #expect(rejected.ref == frame.ref && rejected.error.code == ErrorCode.malformedFrame.rawValue)
                case .error(let error):
                    #expect(frame.ref == nil && error.code == ErrorCode.malformedFrame.rawValue)
                default: Issue.record("\(frame.testDescription): \(answers)")
                }
            }
            client.channel.close(promise: nil)
            relay.run()
        }
        let receiver = relay.connect(bob)
        receiver.hello()
        #expect(receiver.frames().count == 2, "welcome and caught up: nothing of them was stored")
    }

    @Test("Sixteen errors are borne and the seventeenth is the last; what is rejected by its ref does not count")
    func limit() {
        let client = relay.greet(alice, encoding: .json)
        let (send, watch) = (#"{"send":{"ref":"r","user":7}}"#, #"{"watch":{"users":7}}"#)
        let limit = Limits.Connection.wrongFrames
        for _ in 0..<4 * limit { client.receive(payloads: [Array(send.utf8)]) }
        for _ in 0..<limit { client.receive(payloads: [Array(watch.utf8)]) }
        #expect(client.errors().count == 5 * limit && client.close() == nil)
        client.receive(payloads: [Array(watch.utf8)])
        #expect(client.errors().count == 1 || client.close() == .misbehaved)
        #expect(client.close() == .misbehaved)
    }

    @Test("Errors that come later tell the frame too: a read by its conversation, typing, watch")
    func laterErrors() {
        let client = relay.greet(alice)
        let conversation = ConversationID(group: 5).description
        func error(_ build: @escaping (inout WireClientFrame) -> Void) -> WireError? {
            client.send(build)
            guard case .error(let error)? = client.frames().first else { return nil }
            return error
        }
        let read = error { frame in
            frame.read.conversation = conversation
            frame.read.sequence = 1
        }
        #expect(read?.code == ErrorCode.unknownConversation.rawValue)
        #expect(read?.frame == "read" && read?.conversation == conversation)
        let typing = error { $0.typing.conversation = conversation }
        #expect(typing?.frame == "typing" && typing?.conversation == conversation)
        relay.store.inner.failOperations(with: .overloaded)
        let failed = error { frame in
            frame.read.conversation = conversation
            frame.read.sequence = 1
        }
        #expect(failed?.frame == "read" && failed?.conversation == conversation && failed?.retryable == true)
    }

    @Test("Each value that is not allowed is named, with what came and what is allowed")
    func words() throws {
        let long = String(repeating: "n", count: Limits.Message.refBytes + 1)
        let conversation = try #require(ConversationID(between: alice, and: bob)).description
        let cases: [(String, String)] = [
            (#"{"ping":{"nonce":"\#(long)"}}"#, "nonce has 65 bytes; at most 64 are allowed"),
            (
                #"{"read":{"conversation":"\#(conversation)","sequence":"9223372036854775808"}}"#,
                "sequence has to be from 1 to 9223372036854775807, and is 9223372036854775808"
            ),
            (
                #"{"read":{"conversation":"\#(conversation)"}}"#,
                "sequence has to be from 1 to 9223372036854775807, and is 0"
            ),
            (
                #"{"read":{"conversation":"x\n","sequence":1}}"#,
                #"conversation has to be <user>-<user> or g-<13 characters>, and is "x\n""#
            ),
            (
                #"{"ack":{"inboxSequence":"9223372036854775808"}}"#,
                "inboxSequence is 9223372036854775808; the last event sent to you is 0"
            ),
            (
                #"{"watch":{"users":["bob"]}}"#,
                #"users has to hold users' ids, 13 characters each, and holds "bob""#
            ),
            (
                #"{"watch":{"users":[\#((0..<257).map { _ in "\"\(bob)\"" }.joined(separator: ","))]}}"#,
                "users has 257 entries; at most 256 are allowed"
            ),
            (#"{"send":{"ref":"\#(long)"}}"#, "ref has 65 bytes; 1 to 64 are allowed"),
            (#"{"send":{"ref":"r"}}"#, "content has neither text nor data; send one of them"),
            (#"{"send":{"ref":"r","content":{"data":""}}}"#, "content has 0 bytes; 1 to 65536 are allowed"),
            (
                #"{"send":{"ref":"r","content":{"text":"t"}}}"#,
                "there is neither conversation nor user; send one of them"
            ),
            (
                #"{"send":{"ref":"r","user":"bob","content":{"text":"t"}}}"#,
                #"user has to be a user's id, 13 characters, and is "bob""#
            ),
        ]
        let client = relay.greet(alice, encoding: .json)
        for (text, message) in cases {
            client.receive(payloads: [Array(text.utf8)])
            switch client.frames().first {
            case .error(let error): #expect(error.message == message && !error.field.isEmpty)
            case .rejected(let rejected): #expect(rejected.error.message == message && !rejected.error.field.isEmpty)
            default: Issue.record("no answer: \(text)")
            }
        }
        #expect(client.close() == nil)
    }

    @Test("A retry in raw UTF-8 of a message that came escaped is the same message, and arrives as it was written")
    func escapedRetry() {
        let (client, receiver) = (relay.greet(alice, encoding: .json), relay.greet(bob))
        let text = "\u{20BB7}野家"
        for (ref, content) in [(#"\ud842\udfb7"#, #"\ud842\udfb7\u91ce\u5bb6"#), ("\u{20BB7}", text)] {
            let frame = #"{"send":{"ref":"\#(ref)","user":"\#(bob)","content":{"text":"\#(content)"}}}"#
            client.receive(payloads: [Array(frame.utf8)])
        }
        let refs = client.frames().compactMap { if case .accepted(let accepted) = $0 { accepted.ref } else { nil } }
        #expect(refs == ["\u{20BB7}", "\u{20BB7}"])
        let events = receiver.frames().compactMap { if case .event(let event) = $0 { event.message } else { nil } }
        #expect(events.map(\.content.text) == [text] && events.map(\.ref) == ["\u{20BB7}"])
    }
}
