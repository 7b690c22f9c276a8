/// A client's half of RFC 6455's framing: reading a server's frames, writing masked ones.
///
/// By hand, because a load generator reads and writes millions: no object a frame, masking eight bytes at a time.
package enum WebSocketFrame {
    package enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue & 8 != 0 }
    }

    /// What the bytes from an offset on hold.
    enum Step: Equatable {
        /// A whole frame; `payload` are its offsets, and its end is the next frame's beginning.
        case frame(Opcode, isFinal: Bool, payload: Range<Int>)
        /// The frame is not complete yet.
        case incomplete
        /// The server breaks the protocol, and how.
        case violation(String)
    }

    /// Bytes of a control frame's payload.
    static let controlBytes = 125

    /// Bytes before the payload of a masked frame.
    package static func headBytes(payload count: Int) -> Int { count < 126 ? 6 : count <= 0xffff ? 8 : 14 }

    /// Looks at the frame that begins at `offset`. A frame longer than `limit` is refused by its declared length.
    static func read(_ bytes: UnsafeRawBufferPointer, from offset: Int, limit: Int) -> Step {
        guard bytes.count - offset >= 2 else { return .incomplete }
        let (first, second) = (bytes[offset], bytes[offset + 1])
        guard first & 0x70 == 0 else { return .violation("reserved bits are set") }
        guard let opcode = Opcode(rawValue: first & 0x0f) else { return .violation("unknown opcode") }
        guard second & 0x80 == 0 else { return .violation("a server's frame is masked") }
        let isFinal = first & 0x80 != 0
        var start = offset + 2
        var count = UInt64(second & 0x7f)
        if opcode.isControl, !isFinal || count > UInt64(controlBytes) {
            return .violation("a control frame is fragmented or too long")
        }
        let extended = count == 126 ? 2 : count == 127 ? 8 : 0
        if extended > 0 {
            guard bytes.count - start >= extended else { return .incomplete }
            count = 0
            for index in start..<start + extended { count = count << 8 | UInt64(bytes[index]) }
            start += extended
        }
        guard count <= UInt64(limit) else { return .violation("a frame of \(count) bytes") }
        guard bytes.count - start >= Int(count) else { return .incomplete }
        return .frame(opcode, isFinal: isFinal, payload: start..<start + Int(count))
    }

    /// Writes a final frame's head with its masking key.
    ///
    /// - Returns: the head's length, `headBytes(payload:)`.
    @discardableResult
    static func writeHead(
        _ opcode: Opcode, payload count: Int, key: UInt32, into bytes: UnsafeMutableRawBufferPointer
    ) -> Int {
        bytes[0] = 0x80 | opcode.rawValue
        let head = headBytes(payload: count)
        switch head {
        case 6: bytes[1] = 0x80 | UInt8(count)
        case 8:
            bytes[1] = 0x80 | 126
            bytes.storeBytes(of: UInt16(count).bigEndian, toByteOffset: 2, as: UInt16.self)
        default:
            bytes[1] = 0x80 | 127
            bytes.storeBytes(of: UInt64(count).bigEndian, toByteOffset: 2, as: UInt64.self)
        }
        bytes.storeBytes(of: key, toByteOffset: head - 4, as: UInt32.self)
        return head
    }

    /// Masks (or unmasks) in place. The key is in memory order, as `writeHead` stores it.
    static func mask(_ bytes: UnsafeMutableRawBufferPointer, key: UInt32) {
        let wide = UInt64(key) << 32 | UInt64(key)
        var offset = 0
        while offset + 8 <= bytes.count {
            let masked = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ wide
            bytes.storeBytes(of: masked, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        withUnsafeBytes(of: key) { key in
            while offset < bytes.count {
                bytes[offset] ^= key[offset & 3]
                offset += 1
            }
        }
    }
}
