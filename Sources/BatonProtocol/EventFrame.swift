public import BatonCore
import SwiftProtobuf

/// The binary frame of an event, put together from bytes that were encoded once.
///
/// Of a message only its sequence and its time are not known before the commit. The other fields are encoded when it
/// arrives (`payload`), kept like that in the store, and travel like that through Redis to the sockets: protobuf
/// allows fields in any order, so a frame is two numbers and a copy. Fewer than 0.1 us instead of 0.5.
///
/// Source: <https://protobuf.dev/programming-guides/encoding/>.
public enum EventFrame {
    /// The fields of a message that do not change once it is sent, for `SendRequest.payload`.
    public static func payload(
        conversation: ConversationID, sender: UserID, device: DeviceID, ref: String, content: WireContent
    ) throws -> [UInt8] {
        var message = WireMessage()
        message.conversation = conversation.description
        message.sender = sender.description
        message.device = device.description
        message.ref = ref
        message.content = content
        return try message.serializedBytes()
    }

    /// The binary WebSocket payload of an event: a `ServerFrame`.
    public static func encode(_ event: InboxEvent) -> [UInt8] {
        switch event.body {
        case .message(let message): encode(message, at: event.sequence)
        case .receipt(let receipt): encode(receipt, at: event.sequence)
        case .encoded(let kind, let bytes): encode(field: kind, bytes, at: event.sequence)
        }
    }

    /// A stored message as a wire message, for history.
    public static func message(_ stored: StoredMessage) throws -> WireMessage {
        var message = try WireMessage(serializedBytes: stored.payload)
        message.sequence = stored.id.sequence.rawValue
        message.atMs = UInt64(clamping: stored.at.milliseconds)
        return message
    }

    /// Whether an event's frame holds a message, by its first bytes; false for anything else, whatever it is.
    package static func holdsMessage(_ frame: [UInt8]) -> Bool {
        var index = 0
        func take(_ tag: UInt8) -> Bool {
            guard index < frame.count, frame[index] == tag else { return false }
            index += 1
            return true
        }
        func skipVarint() {
            while index < frame.count, frame[index] > 0x7f { index += 1 }
            index += 1
        }
        guard take(Tag.frameEvent) else { return false }
        skipVarint()
        guard take(Tag.eventSequence) else { return false }
        skipVarint()
        return take(Tag.eventMessage)
    }

    private static func encode(_ message: StoredMessage, at position: InboxSequence) -> [UInt8] {
        let sequence = message.id.sequence.rawValue
        let time = UInt64(clamping: message.at.milliseconds)
        let messageCount = 2 + Varint.count(sequence) + Varint.count(time) + message.payload.count
        var writer = FrameWriter(eventCount: messageCount, tag: UInt64(Tag.eventMessage), position: position)
        writer.append(tag: Tag.messageSequence, varint: sequence)
        writer.append(tag: Tag.messageAt, varint: time)
        writer.bytes.append(contentsOf: message.payload)
        return writer.bytes
    }

    private static func encode(_ receipt: Receipt, at position: InboxSequence) -> [UInt8] {
        let conversation = receipt.conversation.description.utf8
        let user = receipt.user.description.utf8
        let time = UInt64(clamping: receipt.at.milliseconds)
        let (delivered, read) = (receipt.delivered.rawValue, receipt.read.rawValue)
        var count = 2 + conversation.count + 2 + user.count
        for number in [delivered, read, time] { count += 1 + Varint.count(number) }
        var writer = FrameWriter(eventCount: count, tag: UInt64(Tag.eventReceipt), position: position)
        writer.append(tag: Tag.receiptConversation, text: conversation)
        writer.append(tag: Tag.receiptUser, text: user)
        writer.append(tag: Tag.receiptDelivered, varint: delivered)
        writer.append(tag: Tag.receiptRead, varint: read)
        writer.append(tag: Tag.receiptAt, varint: time)
        return writer.bytes
    }

    private static func encode(field: UInt32, _ bytes: [UInt8], at position: InboxSequence) -> [UInt8] {
        var writer = FrameWriter(
            eventCount: bytes.count, tag: UInt64(field) << 3 | Tag.lengthDelimited, position: position)
        writer.bytes.append(contentsOf: bytes)
        return writer.bytes
    }

    /// Field number and wire type, as `relay.proto` numbers them. A test compares them with the generated code.
    private enum Tag {
        static let lengthDelimited: UInt64 = 2
        static let frameEvent: UInt8 = 4 << 3 | 2
        static let eventSequence: UInt8 = 1 << 3
        static let eventMessage = UInt8(EventKind.message.rawValue << 3 | 2)
        static let eventReceipt = UInt8(EventKind.receipt.rawValue << 3 | 2)
        static let messageSequence: UInt8 = 1 << 3
        static let messageAt: UInt8 = 2 << 3
        static let receiptConversation: UInt8 = 1 << 3 | 2
        static let receiptUser: UInt8 = 2 << 3 | 2
        static let receiptDelivered: UInt8 = 3 << 3
        static let receiptRead: UInt8 = 4 << 3
        static let receiptAt: UInt8 = 5 << 3
    }

    /// Writes the two outer messages' heads, whose lengths are known beforehand.
    private struct FrameWriter {
        var bytes: [UInt8] = []

        init(eventCount count: Int, tag: UInt64, position: InboxSequence) {
            let inner = UInt64(count)
            let event =
                1 + Varint.count(position.rawValue) + Varint.count(tag) + Varint.count(inner) + count
            bytes.reserveCapacity(event + 6)
            bytes.append(Tag.frameEvent)
            Varint.append(UInt64(event), to: &bytes)
            append(tag: Tag.eventSequence, varint: position.rawValue)
            Varint.append(tag, to: &bytes)
            Varint.append(inner, to: &bytes)
        }

        mutating func append(tag: UInt8, varint: UInt64) {
            bytes.append(tag)
            Varint.append(varint, to: &bytes)
        }

        mutating func append(tag: UInt8, text: String.UTF8View) {
            append(tag: tag, varint: UInt64(text.count))
            bytes.append(contentsOf: text)
        }
    }
}
