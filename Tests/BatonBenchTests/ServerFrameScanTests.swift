import BatonCore
import BatonProtocol
import Testing

@testable import BatonBench

@Suite("What the load generator reads and writes by hand")
struct ServerFrameScanTests {
    private static let sender = UserID(rawValue: 7)
    private static let receiver = UserID(rawValue: 8)

    private func template() throws -> SendTemplate { try SendTemplate(to: Self.receiver, run: "abcdefgh") }

    private func filled(_ template: SendTemplate, number: UInt32, time: UInt64) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: template.bytes.count)
        bytes.withUnsafeMutableBytes { template.fill($0, number: number, time: time) }
        return bytes
    }

    private func scan(_ bytes: [UInt8]) -> ServerFrameScan { bytes.withUnsafeBytes { ServerFrameScan($0) } }

    @Test("A message from the template is what the generated code reads")
    func templateIsAFrame() throws {
        let bytes = filled(try template(), number: 0xbeef, time: 0x0123_4567_89ab_cdef)
        guard case .send(let send) = try FrameCodec.decode(bytes, as: .proto) else { return #expect(Bool(false)) }
        #expect(send.ref == "abcdefgh0000beef")
        #expect(send.user == Self.receiver.description)
        #expect(send.content.text.utf8.count == SendTemplate.bodyBytes)
        #expect(send.content.text.hasPrefix("0123456789abcdefx"))
    }

    @Test("An event with such a message is read as it was sent")
    func message() throws {
        let bytes = filled(try template(), number: 77, time: 1_234_567)
        guard case .send(let send) = try FrameCodec.decode(bytes, as: .proto) else { return #expect(Bool(false)) }
        let conversation = try #require(ConversationID(between: Self.sender, and: Self.receiver))
        let payload = try EventFrame.payload(
            conversation: conversation, sender: Self.sender, device: DeviceID(rawValue: 1), ref: send.ref,
            content: send.content)
        let id = MessageID(conversation: conversation, sequence: ConversationSequence(rawValue: 5))
        let stored = StoredMessage(id: id, at: Timestamp(milliseconds: 9), payload: payload)
        let frame = EventFrame.encode(
            InboxEvent(user: Self.receiver, sequence: InboxSequence(rawValue: 300), body: .message(stored)))
        guard case .message(300, let sender, 77, 1_234_567) = scan(frame) else {
            return #expect(Bool(false), "\(scan(frame))")
        }
        #expect(String(decoding: frame[sender], as: UTF8.self) == Self.sender.description)
    }

    @Test("Acceptances, receipts and everything else are told apart")
    func otherFrames() throws {
        var frame = WireServerFrame()
        frame.accepted.ref = "abcdefgh000000ff"
        frame.accepted.id = "x"
        #expect(scan(try FrameCodec.encode(frame, as: .proto)) == .accepted(number: 255))
        frame.event.inboxSequence = 4
        frame.event.receipt.user = "u"
        #expect(scan(try FrameCodec.encode(frame, as: .proto)) == .entry(position: 4, kind: .receipt))
        frame.caughtUp.inboxSequence = 1
        #expect(scan(try FrameCodec.encode(frame, as: .proto)) == .other)
    }

    @Test("Random and truncated bytes never trap")
    func robustness() throws {
        for _ in 0..<5_000 { _ = scan((0..<Int.random(in: 0...60)).map { _ in UInt8.random(in: 0...255) }) }
        var frame = WireServerFrame()
        frame.event.inboxSequence = 4
        frame.event.message.ref = "abcdefgh000000ff"
        frame.event.message.content.text = "short"
        let bytes: [UInt8] = try FrameCodec.encode(frame, as: .proto)
        for end in 0..<bytes.count { _ = scan(Array(bytes[..<end])) }
        #expect(scan([]) == .malformed)
    }
}
