import BatonProtocol

extension WrongFrames {
    /// Each sample with one thing wrong.
    package static func protobuf(user: String, conversation: String) throws -> [WrongFrame] {
        try samples(user: user, conversation: conversation).flatMap { frame in
            let bytes = try FrameCodec.encode(frame, as: .proto)
            let ref = frame.send.ref.isEmpty ? nil : frame.send.ref
            let fields = ProtobufTree.fields(of: bytes)
            guard let number = fields.first?.number,
                let field = WireSchema.shared.field(numbered: number, of: WireSchema.clientFrame)
            else { return [WrongFrame]() }
            let kind = WireSchema.shared.name(of: field)
            return wrongValues(bytes, kind, ref) + twice(bytes, kind, ref) + wrongWhole(bytes, kind, ref)
                + cut(bytes, kind, ref)
        }
    }

    private static func wrongValues(_ bytes: [UInt8], _ kind: String, _ ref: String?) -> [WrongFrame] {
        paths(of: kind).flatMap { path in
            let number = path.field.number
            let types: [(type: UInt8, value: [UInt8])] = [
                (0, [1]), (1, [UInt8](repeating: 1, count: 8)), (2, [1, 0x78]), (5, [1, 2, 3, 4]),
                (3, ProtobufTree.tag(number, 4)),
            ]
            var values = types.filter { $0.type != path.field.kind.wireType }
                .map { ProtobufTree.tag(number, $0.type) + $0.value }
            if path.field.kind == .string { values.append(ProtobufTree.tag(number, 2) + [2, 0x61, 0xff]) }
            let isRefReadable = path.names != ["send"] && path.names != ["send", "ref"]
            return values.flatMap { value in
                [true, false].map { isFirst in
                    let changed = ProtobufTree.replacing(path, in: bytes, by: value, isFirst: isFirst)
                    return wrong(changed, kind, isRefReadable ? ref : nil, path.inFrame)
                }
            }
        }
    }

    private static func twice(_ bytes: [UInt8], _ kind: String, _ ref: String?) -> [WrongFrame] {
        paths(of: kind).filter { !$0.field.isRepeated && $0.fields.count > 1 }.map { path in
            let value: [UInt8] = path.field.kind.wireType == 2 ? [0] : [1]
            let field = ProtobufTree.tag(path.field.number, path.field.kind.wireType) + value
            // A field that the sample does not have stands there twice for the first time.
            let once = ProtobufTree.adding(path, to: bytes, field)
            return wrong(ProtobufTree.adding(path, to: once, field), kind, ref, nil)
        }
    }

    private static func wrongWhole(_ bytes: [UInt8], _ kind: String, _ ref: String?) -> [WrongFrame] {
        let deep = 65
        let group =
            (0..<deep).flatMap { _ in ProtobufTree.tag(100, 3) } + (0..<deep).flatMap { _ in ProtobufTree.tag(100, 4) }
        let ping = ProtobufTree.tag(kind == "ping" ? 5 : 7, 2) + [0]
        return [
            wrong(bytes + bytes, kind, ref, nil), wrong(bytes + group, kind, ref, nil),
            wrong(bytes + ping, ref == nil ? nil : kind, ref, nil),
            wrong(ping + bytes, ref == nil ? nil : kind, ref, nil),
            wrong(bytes + [0], kind, ref, nil), wrong(bytes + [0xff], kind, ref, nil),
            wrong(bytes + ProtobufTree.tag(100, 6), kind, ref, nil),
            wrong(bytes + ProtobufTree.tag(100, 4), kind, ref, nil),
            wrong(bytes + ProtobufTree.tag(100, 2) + [5, 1], kind, ref, nil),
        ]
    }

    private static func cut(_ bytes: [UInt8], _ kind: String, _ ref: String?) -> [WrongFrame] {
        // The ref is the first field of a send: its tag and length behind those of the frame.
        let behindRef = ref.map { 4 + $0.utf8.count }
        return (1..<bytes.count).map { count in
            wrong(Array(bytes.prefix(count)), nil, behindRef.map { $0 <= count } == true ? ref : nil, nil)
        }
    }

    private static func wrong(_ bytes: [UInt8], _ kind: String?, _ ref: String?, _ field: String?) -> WrongFrame {
        WrongFrame(encoding: .proto, payload: bytes, ref: ref, kind: kind, field: field)
    }
}

/// Protobuf taken apart and put together, right or wrong.
enum ProtobufTree {
    struct Field {
        let number: UInt32
        /// Its value, where that is bytes with a length.
        let content: [UInt8]?
        /// All of it.
        let bytes: [UInt8]
    }

    /// The fields of right bytes.
    static func fields(of bytes: [UInt8]) -> [Field] {
        var fields: [Field] = []
        var position = 0
        func varint() -> UInt64 {
            var number: UInt64 = 0
            var shift: UInt64 = 0
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                number |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            return number
        }
        while position < bytes.count {
            let start = position
            let tag = varint()
            let number = varint()
            var content: [UInt8]?
            if tag & 7 == 2 {
                content = Array(bytes[position..<position + Int(number)])
                position += Int(number)
            }
            fields.append(Field(number: UInt32(tag >> 3), content: content, bytes: Array(bytes[start..<position])))
        }
        return fields
    }

    static func tag(_ number: UInt32, _ wireType: UInt8) -> [UInt8] { varint(UInt64(number) << 3 | UInt64(wireType)) }

    private static func varint(_ number: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = number
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// The bytes with another value in the place of a field's, and of the others of its choice.
    static func replacing(_ path: WrongFrames.Path, in bytes: [UInt8], by value: [UInt8], isFirst: Bool) -> [UInt8] {
        change(bytes, path.fields[...]) { inner in
            let others = fields(of: inner).filter { other in
                !path.isReplaced(other.number)
            }.flatMap(\.bytes)
            return isFirst ? value + others : others + value
        }
    }

    /// The bytes with a value behind what stands there.
    static func adding(_ path: WrongFrames.Path, to bytes: [UInt8], _ value: [UInt8]) -> [UInt8] {
        change(bytes, path.fields[...]) { $0 + value }
    }

    /// Changes the message that holds a field.
    private static func change(
        _ bytes: [UInt8], _ path: ArraySlice<WireSchema.Field>, _ change: ([UInt8]) -> [UInt8]
    ) -> [UInt8] {
        guard path.count > 1, let next = path.first else { return change(bytes) }
        return fields(of: bytes).flatMap { field -> [UInt8] in
            guard field.number == next.number, let content = field.content else { return field.bytes }
            let changed = self.change(content, path.dropFirst(), change)
            return tag(field.number, 2) + varint(UInt64(changed.count)) + changed
        }
    }
}

extension WrongFrames.Path {
    fileprivate func isReplaced(_ number: UInt32) -> Bool {
        guard number != field.number, let choice = field.choice, fields.count > 1,
            case .message(let parent) = fields[fields.count - 2].kind
        else { return number == field.number }
        return WireSchema.shared.field(numbered: number, of: Int(parent))?.choice == choice
    }
}
