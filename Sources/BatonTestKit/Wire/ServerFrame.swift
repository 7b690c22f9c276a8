package import NIOCore

/// A frame of the server, taken apart.
package struct ServerFrame: Hashable, CustomStringConvertible {
    package var opcode: UInt8
    package var payload: [UInt8]

    package var closeCode: UInt16? {
        opcode == 0x8 && payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
    }

    package var description: String { "opcode \(opcode) \(String(decoding: payload, as: UTF8.self))" }

    package init(opcode: UInt8, payload: [UInt8]) {
        self.opcode = opcode
        self.payload = payload
    }

    package static func text(_ text: String) -> ServerFrame { ServerFrame(opcode: 0x1, payload: Array(text.utf8)) }

    /// The frames at the front of a buffer, which keeps what is unfinished.
    package static func readAll(from buffer: inout ByteBuffer) -> [ServerFrame] {
        var frames: [ServerFrame] = []
        while let frame = read(from: &buffer) { frames.append(frame) }
        return frames
    }

    static func read(from buffer: inout ByteBuffer) -> ServerFrame? {
        var copy = buffer
        guard let first = copy.readInteger(as: UInt8.self), let second = copy.readInteger(as: UInt8.self) else {
            return nil
        }
        var length = Int(second & 0x7F)
        if length == 126 {
            guard let long = copy.readInteger(as: UInt16.self) else { return nil }
            length = Int(long)
        } else if length == 127 {
            guard let long = copy.readInteger(as: UInt64.self) else { return nil }
            length = Int(long)
        }
        guard let payload = copy.readBytes(length: length) else { return nil }
        buffer = copy
        return ServerFrame(opcode: first & 0x0F, payload: payload)
    }
}
