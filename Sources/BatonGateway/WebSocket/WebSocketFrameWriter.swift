import NIOCore

/// Appends a server's frames to a buffer: header and payload, unmasked, never fragmented.
enum WebSocketFrameWriter {
    enum Opcode: UInt8 {
        case text = 0x1
        case binary = 0x2
        case close = 0x8
        case ping = 0x9
        case pong = 0xA
    }

    static let longestHeader = 10

    static func append(_ opcode: Opcode, _ payload: [UInt8], to buffer: inout ByteBuffer) {
        appendHeader(opcode, length: payload.count, to: &buffer)
        buffer.writeBytes(payload)
    }

    static func append(_ opcode: Opcode, _ payload: ByteBuffer, to buffer: inout ByteBuffer) {
        appendHeader(opcode, length: payload.readableBytes, to: &buffer)
        buffer.writeImmutableBuffer(payload)
    }

    /// - Parameter reason: cut at a character where a control frame cannot hold it.
    static func appendClose(code: UInt16?, reason: String, to buffer: inout ByteBuffer) {
        guard let code else { return appendHeader(.close, length: 0, to: &buffer) }
        var reason = reason
        while reason.utf8.count > 123 { reason.removeLast() }
        appendHeader(.close, length: 2 + reason.utf8.count, to: &buffer)
        buffer.writeInteger(code)
        buffer.writeString(reason)
    }

    private static func appendHeader(_ opcode: Opcode, length: Int, to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: longestHeader + length)
        buffer.writeInteger(0x80 | opcode.rawValue)
        switch length {
        case ...125:
            buffer.writeInteger(UInt8(length))
        case ...0xFFFF:
            buffer.writeInteger(126 as UInt8)
            buffer.writeInteger(UInt16(length))
        default:
            buffer.writeInteger(127 as UInt8)
            buffer.writeInteger(UInt64(length))
        }
    }
}
