import BatonCore
package import NIOCore

/// Reads what a client sends: bytes in any portions, messages and control frames out (RFC 6455, the server's side, no
/// extensions).
///
/// Everything that can be refused is refused at its first byte: a wrong opcode before its length has arrived, a message
/// that is too big by its declared length before any of its payload, a text at its first byte that is not UTF-8. Memory
/// is taken for bytes that are here, never for bytes that are announced.
///
/// After it has thrown, a decoder must not be used again: the framing is lost.
package struct WebSocketDecoder: Sendable {
    package enum Event: Hashable, Sendable {
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case pong(ByteBuffer)
        /// No code where the frame was empty.
        case close(code: UInt16?)
    }

    package struct Bounds: Sendable {
        package var messageBytes: Int
        package var fragments: Int

        package init(messageBytes: Int = Limits.Frame.messageBytes, fragments: Int = Limits.Frame.fragments) {
            self.messageBytes = messageBytes
            self.fragments = fragments
        }
    }

    /// Which part of a frame the next byte belongs to.
    private enum Stage {
        case opcode
        case length
        case extendedLength(bytesLeft: UInt8, total: UInt8)
        case mask
        case payload
    }

    private enum Kind {
        case text, binary, ping, pong, close

        var isControl: Bool { self != .text && self != .binary }
    }

    private let bounds: Bounds
    private var stage = Stage.opcode

    // The frame that is being read.
    private var kind = Kind.binary
    private var isFinal = false
    private var mask = WebSocketMask()
    private var remaining: UInt64 = 0

    // The message that is being read; its frames may have control frames between them.
    private var messageKind: Kind?
    private var message = ByteBuffer()
    /// The message before was handed out, and its buffer not yet taken back.
    private var holdsPrevious = false
    private var messageBytes = 0
    private var fragments = 0
    private var validator = UTF8Validator()

    private var control = ByteBuffer()

    package init(bounds: Bounds = Bounds()) {
        self.bounds = bounds
    }

    /// Gives back the memory of what was read. What belongs to an unfinished message stays.
    package mutating func releaseMemory() {
        if messageKind == nil { message = ByteBuffer() }
        if !kind.isControl { control = ByteBuffer() }
    }

    /// The next thing that is complete.
    ///
    /// The buffer of a message is the decoder's own until the next call: who lets go of it by then saves an allocation.
    ///
    /// - Returns: nil when all input is consumed.
    package mutating func next(_ input: inout ByteBuffer) throws(WebSocketViolation) -> Event? {
        while true {
            if case .payload = stage {
                try takePayload(&input)
                guard remaining == 0 else { return nil }
                stage = .opcode
                if let event = try frameCompleted() { return event }
            } else {
                guard let byte = input.readInteger(as: UInt8.self) else { return nil }
                try takeHeader(byte)
            }
        }
    }

    // MARK: Header

    private mutating func takeHeader(_ byte: UInt8) throws(WebSocketViolation) {
        switch stage {
        case .opcode:
            try takeOpcode(byte)
            stage = .length
        case .length:
            try takeLength(byte)
        case .extendedLength(let bytesLeft, let total):
            remaining = remaining << 8 | UInt64(byte)
            if bytesLeft > 1 {
                stage = .extendedLength(bytesLeft: bytesLeft - 1, total: total)
                return
            }
            guard remaining > (total == 2 ? 125 : 0xFFFF), remaining >> 63 == 0 else { throw .lengthNotMinimal }
            try lengthCompleted()
        case .mask:
            if mask.receive(byte) { stage = .payload }
        case .payload:
            break
        }
    }

    private mutating func takeOpcode(_ byte: UInt8) throws(WebSocketViolation) {
        guard byte & 0x70 == 0 else { throw .reservedBits }
        isFinal = byte & 0x80 != 0
        switch byte & 0x0F {
        case 0x0:
            guard let messageKind else { throw .continuationWithoutStart }
            kind = messageKind
        case 0x1: try startMessage(.text)
        case 0x2: try startMessage(.binary)
        case 0x8: kind = .close
        case 0x9: kind = .ping
        case 0xA: kind = .pong
        default: throw .unknownOpcode(byte & 0x0F)
        }
        guard kind.isControl else { return }
        guard isFinal else { throw .fragmentedControlFrame }
        control = ByteBuffer()
    }

    private mutating func startMessage(_ kind: Kind) throws(WebSocketViolation) {
        guard messageKind == nil else { throw .messageInsideMessage }
        messageKind = kind
        self.kind = kind
        fragments = 0
        messageBytes = 0
        holdsPrevious = true
        validator = UTF8Validator()
    }

    private mutating func takeLength(_ byte: UInt8) throws(WebSocketViolation) {
        guard byte & 0x80 != 0 else { throw .unmasked }
        let length = byte & 0x7F
        mask = WebSocketMask()
        if length < 126 {
            remaining = UInt64(length)
            try lengthCompleted()
            return
        }
        guard !kind.isControl else { throw .controlFrameTooLong }
        remaining = 0
        let total: UInt8 = length == 126 ? 2 : 8
        stage = .extendedLength(bytesLeft: total, total: total)
    }

    /// The declared length is known, and nothing of the payload was read.
    private mutating func lengthCompleted() throws(WebSocketViolation) {
        if !kind.isControl {
            fragments += 1
            guard fragments <= bounds.fragments else { throw .tooManyFragments }
            guard remaining <= UInt64(bounds.messageBytes - messageBytes) else { throw .messageTooBig }
            messageBytes += Int(remaining)
        }
        stage = .mask
    }

    // MARK: Payload

    private mutating func takePayload(_ input: inout ByteBuffer) throws(WebSocketViolation) {
        let count = Int(min(remaining, UInt64(input.readableBytes)))
        if !kind.isControl, holdsPrevious {
            message.clear(minimumCapacity: count)
            holdsPrevious = false
        }
        guard count > 0 else { return }
        if kind.isControl {
            Self.unmask(count, of: &input, with: &mask, into: &control)
        } else {
            Self.unmask(count, of: &input, with: &mask, into: &message)
            if kind == .text {
                let isText = message.withUnsafeReadableBytes { bytes in
                    validator.accepts(UnsafeRawBufferPointer(rebasing: bytes.suffix(count)))
                }
                guard isText else { throw .invalidUTF8 }
            }
        }
        remaining -= UInt64(count)
    }

    private static func unmask(
        _ count: Int, of input: inout ByteBuffer, with mask: inout WebSocketMask, into target: inout ByteBuffer
    ) {
        input.readWithUnsafeReadableBytes { source in
            let source = UnsafeRawBufferPointer(rebasing: source.prefix(count))
            target.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
                mask.unmask(source, into: space)
                return count
            }
            return count
        }
    }

    private mutating func frameCompleted() throws(WebSocketViolation) -> Event? {
        switch kind {
        case .ping: return .ping(control)
        case .pong: return .pong(control)
        case .close: return try .close(code: closeCode())
        case .text, .binary:
            guard isFinal else { return nil }
            messageKind = nil
            guard kind == .text else { return .binary(message) }
            guard validator.isComplete else { throw .invalidUTF8 }
            return .text(message)
        }
    }

    private func closeCode() throws(WebSocketViolation) -> UInt16? {
        guard control.readableBytes > 0 else { return nil }
        guard let code = control.getInteger(at: control.readerIndex, as: UInt16.self) else {
            throw .closeFrameTooShort
        }
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .closeCodeNotAllowed(code)
        }
        var validator = UTF8Validator()
        let isText = control.withUnsafeReadableBytes { bytes in
            validator.accepts(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(2))) && validator.isComplete
        }
        guard isText else { throw .invalidUTF8 }
        return code
    }
}
