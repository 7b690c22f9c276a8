import BatonCore
import BatonProtocol
import BatonTestKit
import Foundation
import SwiftProtobuf
import Testing

/// The frames of events are put together by hand; the generated code says what they must be.
@Suite("Event frames")
struct EventFrameTests {
    private static let numbers: [UInt64] = [
        1, 2, 127, 128, 16_383, 16_384, 1 << 21, 1 << 28, 1 << 32, 1 << 35, 1 << 42, 1 << 49, 1 << 56,
        UInt64(Int64.max), .max,
    ]
    private static let refs = ["r", String(repeating: "ü", count: 32)]
    private static let texts = ["", "a", String(repeating: "x", count: 200), String(repeating: "𝄞", count: 16_384)]

    @Test("A message's frame is byte for byte what the generated code writes")
    func messages() throws {
        let conversation = try #require(ConversationID(between: UserID(rawValue: 5), and: UserID(rawValue: .max)))
        for sequence in Self.numbers {
            for (ref, text) in zip(Self.refs + Self.refs, Self.texts) {
                var content = WireContent()
                content.text = text
                let event = try message(conversation, position: sequence, sequence: sequence, at: 1, ref, content)
                #expect(try EventFrame.encode(event) == generated(event, content, ref))
            }
        }
    }

    @Test("Numbers of every length at every place give the frame of the generated code")
    func lengths() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<400 {
            func number() -> UInt64 { max(1, generator.next() >> UInt64(generator.next() % 64)) }
            var content = WireContent()
            content.data = Data(
                (0..<Int(generator.next() % 300)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
            content.mediaType = "application/octet-stream"
            let at = Int64(number() >> 1)
            let event = try message(
                ConversationID(group: number()), position: number(), sequence: number(), at: max(1, at), "ref", content)
            #expect(try EventFrame.encode(event) == generated(event, content, "ref"))
            let receipt = self.receipt(
                ConversationID(group: number()), position: number(), delivered: number(), read: number(),
                at: max(1, at))
            #expect(try EventFrame.encode(receipt) == generated(receipt))
        }
    }

    @Test("Numbers that are zero or before 1970 are read as zero")
    func zeros() throws {
        let content = WireContent()
        let event = try message(ConversationID(group: 1), position: 0, sequence: 0, at: -5, "", content)
        let frame = try WireServerFrame(serializedBytes: EventFrame.encode(event))
        #expect(try frame.serializedBytes() == generated(event, content, ""))
        let receipt = self.receipt(ConversationID(group: 1), position: 9, delivered: 0, read: 0, at: -1)
        #expect(
            try WireServerFrame(serializedBytes: EventFrame.encode(receipt)).serializedBytes() == generated(receipt))
    }

    @Test("A frame becomes the same JSON as the message it holds, with sequences as text")
    func json() throws {
        var content = WireContent()
        content.text = "\u{1}\"\\/é𝄞\u{2028}"
        let event = try message(
            ConversationID(group: 1), position: .max, sequence: 1 << 60, at: 7, "r", content)
        let json = try FrameCodec.transcodeToJSON(EventFrame.encode(event))
        let frame = try FrameCodec.decodeServerFrame(json, as: .json)
        #expect(try frame.serializedBytes() == generated(event, content, "r"))
        #expect(String(decoding: json, as: UTF8.self).contains(#""inboxSequence":"18446744073709551615""#))
    }

    @Test("A stored message comes back for history as it was sent")
    func history() throws {
        var content = WireContent()
        content.text = "hello"
        let event = try message(ConversationID(group: 1), position: 1, sequence: 4, at: 9, "r", content)
        guard case .message(let stored) = event.body else { return }
        let message = try EventFrame.message(stored)
        #expect(message.sequence == 4 && message.atMs == 9 && message.ref == "r" && message.content == content)
        let broken = StoredMessage(id: stored.id, at: stored.at, payload: [0xff])
        #expect(throws: (any Error).self) { try EventFrame.message(broken) }
    }

    // MARK: What is compared

    private static let sender = UserID(rawValue: 5)
    private static let device = DeviceID(rawValue: 6)

    @Test("An event of an unknown kind is passed on: its position is read, its field stands among the unknown ones")
    func unknownKinds() throws {
        for field in [4, 15, 16, 2_047, 2_048, 70_000] as [UInt32] {
            for count in [0, 1, 200] {
                let bytes = [UInt8](repeating: 7, count: count)
                let event = InboxEvent(
                    user: UserID(rawValue: 8), sequence: .init(rawValue: 9),
                    body: .encoded(kind: field, bytes: bytes))
                let encoded = EventFrame.encode(event)
                let frame = try WireServerFrame(serializedBytes: encoded)
                #expect(frame.event.inboxSequence == 9)
                #expect(frame.event.event == nil)
                #expect(frame.event.unknownFields.data.suffix(count) == Data(bytes))
                #expect(try frame.serializedBytes() as [UInt8] == encoded)
                let json = try WireServerFrame(jsonUTF8Bytes: FrameCodec.transcodeToJSON(encoded))
                #expect(json.event.inboxSequence == 9)
                #expect(!EventFrame.holdsMessage(encoded))
            }
        }
    }

    private func message(
        _ conversation: ConversationID, position: UInt64, sequence: UInt64, at: Int64, _ ref: String,
        _ content: WireContent
    ) throws -> InboxEvent {
        let payload = try EventFrame.payload(
            conversation: conversation, sender: Self.sender, device: Self.device, ref: ref, content: content)
        let id = MessageID(conversation: conversation, sequence: .init(rawValue: sequence))
        return InboxEvent(
            user: UserID(rawValue: 8), sequence: .init(rawValue: position),
            body: .message(StoredMessage(id: id, at: Timestamp(milliseconds: at), payload: payload)))
    }

    private func receipt(
        _ conversation: ConversationID, position: UInt64, delivered: UInt64, read: UInt64, at: Int64
    ) -> InboxEvent {
        InboxEvent(
            user: UserID(rawValue: 8), sequence: .init(rawValue: position),
            body: .receipt(
                Receipt(
                    conversation: conversation, user: Self.sender, delivered: .init(rawValue: delivered),
                    read: .init(rawValue: read), at: Timestamp(milliseconds: at))))
    }

    private func generated(
        _ event: InboxEvent, _ content: WireContent = WireContent(), _ ref: String = ""
    ) throws -> [UInt8] {
        var frame = WireServerFrame()
        frame.event.inboxSequence = event.sequence.rawValue
        switch event.body {
        case .message(let stored):
            frame.event.message.sequence = stored.id.sequence.rawValue
            frame.event.message.atMs = UInt64(clamping: stored.at.milliseconds)
            frame.event.message.conversation = stored.id.conversation.description
            frame.event.message.sender = Self.sender.description
            frame.event.message.device = Self.device.description
            frame.event.message.ref = ref
            frame.event.message.content = content
        case .receipt(let receipt):
            frame.event.receipt.conversation = receipt.conversation.description
            frame.event.receipt.user = receipt.user.description
            frame.event.receipt.delivered = receipt.delivered.rawValue
            frame.event.receipt.read = receipt.read.rawValue
            frame.event.receipt.atMs = UInt64(clamping: receipt.at.milliseconds)
        case .encoded: break
        }
        return try frame.serializedBytes()
    }
}
