import NIOCore

/// Bytes as a client puts them on the wire, right or wrong.
enum ClientFrames {
    static func frame(
        _ opcode: UInt8, _ payload: [UInt8] = [], final: Bool = true, reserved: UInt8 = 0,
        key: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
    ) -> [UInt8] {
        var bytes: [UInt8] = [(final ? 0x80 : 0) | reserved << 4 | opcode]
        let masked: UInt8 = key == nil ? 0 : 0x80
        switch payload.count {
        case ...125: bytes.append(masked | UInt8(payload.count))
        case ...0xFFFF: bytes += [masked | 126] + bigEndian(UInt64(payload.count), 2)
        default: bytes += [masked | 127] + bigEndian(UInt64(payload.count), 8)
        }
        guard let key else { return bytes + payload }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 & 3] }
    }

    static func text(_ text: String, final: Bool = true) -> [UInt8] { frame(0x1, Array(text.utf8), final: final) }

    static func binary(_ payload: [UInt8], final: Bool = true) -> [UInt8] { frame(0x2, payload, final: final) }

    static func continuation(_ payload: [UInt8], final: Bool = true) -> [UInt8] { frame(0x0, payload, final: final) }

    static func ping(_ payload: [UInt8] = []) -> [UInt8] { frame(0x9, payload) }

    static func pong(_ payload: [UInt8] = []) -> [UInt8] { frame(0xA, payload) }

    static func close(_ code: UInt16? = nil, _ reason: [UInt8] = []) -> [UInt8] {
        frame(0x8, (code.map { bigEndian(UInt64($0), 2) } ?? []) + reason)
    }

    /// A frame's header alone, with a length that it does not keep.
    static func header(_ opcode: UInt8, length: UInt64, bytes: Int) -> [UInt8] {
        let short: UInt8 = bytes == 2 ? 126 : 127
        return [0x80 | opcode, 0x80 | short] + bigEndian(length, bytes) + [1, 2, 3, 4]
    }

    static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}

/// A frame of the server, taken apart.
struct ServerFrame: Hashable, CustomStringConvertible {
    var opcode: UInt8
    var payload: [UInt8]

    var closeCode: UInt16? {
        opcode == 0x8 && payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
    }

    var description: String { "opcode \(opcode) \(String(decoding: payload, as: UTF8.self))" }

    static func text(_ text: String) -> ServerFrame { ServerFrame(opcode: 0x1, payload: Array(text.utf8)) }

    /// The frames at the front of a buffer, which keeps what is unfinished.
    static func readAll(from buffer: inout ByteBuffer) -> [ServerFrame] {
        var frames: [ServerFrame] = []
        while let frame = read(from: &buffer) { frames.append(frame) }
        return frames
    }

    private static func read(from buffer: inout ByteBuffer) -> ServerFrame? {
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
