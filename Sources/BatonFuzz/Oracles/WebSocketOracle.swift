import BatonCore
import BatonGateway
import BatonTestKit
import NIOCore
import NIOEmbedded

/// What a client sends behind the handshake: framing, bounds, control frames, the closing handshake.
enum WebSocketOracle: FuzzOracle {
    static let largest = Limits.Frame.messageBytes

    static func work(_ bytes: [UInt8]) { _ = Conversation([bytes[...]]) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let whole = Conversation([bytes[...]])
        for pieces in Pieces.ways(to: bytes) {
            let other = Conversation(pieces)
            try expect(other == whole, "in \(pieces.count) pieces it is \(other), in one \(whole)")
        }
        try checkAnswer(whole.answer)
        let due = ReferenceDecoder.messages(in: bytes)
        let isDue = due.starts(with: whole.messages)
        try expect(isDue, "messages are \(whole.messages), due are \(due)")
        let isWhole = whole.closing != nil || whole.messages.count == due.count
        try expect(isWhole, "of \(due.count) messages came \(whole.messages.count)")
        for message in whole.messages {
            try expect(message.bytes.count <= Limits.Frame.messageBytes, "a message of \(message.bytes.count) bytes")
            let isText = !message.isText || String(validating: message.bytes, as: UTF8.self) != nil
            try expect(isText, "a text that is not UTF-8")
        }
    }

    /// What the node sent is frames of a server, and the last of them at most is a close.
    private static func checkAnswer(_ answer: [UInt8]) throws(FuzzFinding) {
        var index = 0
        while index < answer.count {
            try expect(answer.count - index >= 2, "half a frame was sent")
            let (opcode, count) = (answer[index], Int(answer[index + 1]))
            try expect([0x88, 0x8a].contains(opcode) && count <= 125, "a frame of kind \(opcode) was sent")
            index += 2 + count
            try expect(index <= answer.count, "half a frame was sent")
            try expect(opcode != 0x88 || index == answer.count, "a frame was sent behind the close")
        }
    }
}

/// A text message: it comes where it is UTF-8, in whatever fragments. No mask hides its bytes from the fuzzer.
enum TextMessageOracle: FuzzOracle {
    static let largest = Limits.Frame.messageBytes

    static func work(_ bytes: [UInt8]) { _ = Conversation([ClientFrames.frame(1, bytes)[...]]) }

    static func judge(_ bytes: [UInt8]) throws(FuzzFinding) {
        let place = bytes.count / 2
        let fragments =
            ClientFrames.frame(1, Array(bytes[..<place]), final: false) + ClientFrames.ping()
            + ClientFrames.continuation(Array(bytes[place...]))
        let isText = String(validating: bytes, as: UTF8.self) != nil
        for frames in [ClientFrames.frame(1, bytes), fragments] {
            let messages = Conversation([frames[...]]).messages
            try expect(messages.count == (isText ? 1 : 0), "a text came \(messages.count) times; UTF-8: \(isText)")
            try expect(messages.allSatisfy { $0.bytes == bytes }, "a text came as another one: \(messages)")
        }
    }
}

/// A message of a client.
private struct Message: Hashable {
    let isText: Bool
    let bytes: [UInt8]
}

/// What came of a client's bytes.
private struct Conversation: Equatable {
    private(set) var messages: [Message] = []
    private(set) var closing: WebSocketClosing?
    /// What the node sent.
    private(set) var answer: [UInt8] = []

    init(_ pieces: [ArraySlice<UInt8>]) {
        let recorder = Recorder()
        let channel = EmbeddedChannel(handlers: [WebSocketHandler(), recorder])
        channel.connect(to: FuzzAddress.peer, promise: nil)
        for piece in pieces {
            channel.pipeline.fireChannelRead(ByteBuffer(bytes: piece))
            channel.pipeline.fireChannelReadComplete()
        }
        channel.embeddedEventLoop.run()
        while case .byteBuffer(let bytes)? = try? channel.readOutbound(as: IOData.self) {
            answer += bytes.readableBytesView
        }
        messages = recorder.messages
        closing = recorder.closing
        channel.close(promise: nil)
        channel.embeddedEventLoop.run()
    }

    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = WebSocketInbound

        var messages: [Message] = []
        var closing: WebSocketClosing?

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .text(let buffer): messages.append(Message(isText: true, bytes: Array(buffer.readableBytesView)))
            case .binary(let buffer): messages.append(Message(isText: false, bytes: Array(buffer.readableBytesView)))
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? WebSocketClosing { closing = event }
        }
    }
}

/// RFC 6455 once more, over bytes that are all here: no bounds, no answers, only what the messages are. It goes on where a
/// node has stopped, since it does not look for what is forbidden.
private enum ReferenceDecoder {
    static func messages(in bytes: [UInt8]) -> [Message] {
        var messages: [Message] = []
        var parts: (isText: Bool, bytes: [UInt8])?
        var rest = bytes[...]
        func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        while let head = take(2), let first = head.first, let second = head.last {
            var count = UInt64(second & 0x7f)
            if count > 125 {
                guard let length = take(count == 126 ? 2 : 8) else { return messages }
                count = length.reduce(0) { $0 << 8 | UInt64($1) }
            }
            guard second & 0x80 != 0, let key = take(4).map(Array.init), count <= UInt64(rest.count),
                let masked = take(Int(count))
            else { return messages }
            let payload = masked.enumerated().map { $1 ^ key[$0 & 3] }
            switch first & 0x0f {
            case 0: parts?.bytes += payload
            case 1, 2: parts = (first & 0x0f == 1, payload)
            default: continue
            }
            if first & 0x80 != 0, let whole = parts {
                messages.append(Message(isText: whole.isText, bytes: whole.bytes))
                parts = nil
            }
        }
        return messages
    }
}
