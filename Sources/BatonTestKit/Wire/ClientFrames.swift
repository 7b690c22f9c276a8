/// Bytes as a client puts them on the wire, right or wrong.
package enum ClientFrames {
    package static func frame(
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

    package static func text(_ text: String, final: Bool = true) -> [UInt8] {
        frame(0x1, Array(text.utf8), final: final)
    }

    package static func binary(_ payload: [UInt8], final: Bool = true) -> [UInt8] { frame(0x2, payload, final: final) }

    package static func continuation(_ payload: [UInt8], final: Bool = true) -> [UInt8] {
        frame(0x0, payload, final: final)
    }

    package static func ping(_ payload: [UInt8] = []) -> [UInt8] { frame(0x9, payload) }

    package static func pong(_ payload: [UInt8] = []) -> [UInt8] { frame(0xA, payload) }

    package static func close(_ code: UInt16? = nil, _ reason: [UInt8] = []) -> [UInt8] {
        frame(0x8, (code.map { bigEndian(UInt64($0), 2) } ?? []) + reason)
    }

    /// A frame's header alone, with a length that it does not keep.
    package static func header(_ opcode: UInt8, length: UInt64, bytes: Int) -> [UInt8] {
        let short: UInt8 = bytes == 2 ? 126 : 127
        return [0x80 | opcode, 0x80 | short] + bigEndian(length, bytes) + [1, 2, 3, 4]
    }

    package static func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }
}
