import BatonCore

/// Holds the protobuf of a message against the contract, before the generated code reads it.
///
/// The generated code names no field when it fails, passes over a known field of another type, and takes the last of two
/// where only one may stand: a message would change on its way without a word. Here each of these is a `WireFault`,
/// as it is in JSON. Unknown fields are passed over.
struct ProtobufCheck {
    /// How much is looked at. The first look is one that every frame pays for; the second one is for those that are wrong.
    enum Depth {
        case structure
        /// Text too, which the generated code looks at anyway; and ``kept`` is filled.
        case everything
    }

    private let schema: WireSchema
    private let bytes: [UInt8]
    private let depth: Depth
    /// The first thing that is wrong.
    private(set) var fault: WireFault?
    /// The protobuf of all that was right, after a look at everything.
    private(set) var kept: [UInt8] = []
    /// The number of the first field of the outermost message that the contract does not have.
    private(set) var unknownField: UInt32?

    init(_ bytes: [UInt8], as message: Int, _ depth: Depth, of schema: WireSchema = .shared) {
        self.schema = schema
        self.bytes = bytes
        self.depth = depth
        do throws(WireFault) {
            try read(message, 0..<bytes.count, isOutermost: true)
        } catch {
            if fault == nil { fault = error }
        }
    }

    private mutating func read(_ message: Int, _ range: Range<Int>, isOutermost: Bool = false) throws(WireFault) {
        var position = range.lowerBound
        var seen = SeenFields()
        while position < range.upperBound {
            let start = position
            guard let tag = tag(at: &position, before: range.upperBound) else {
                throw WireFault("the frame is not protobuf: at byte \(start) is no tag of a field")
            }
            let (number, wireType) = (UInt32(tag >> 3), UInt8(tag & 7))
            guard let field = schema.field(numbered: number, of: message) else {
                if isOutermost, unknownField == nil { unknownField = number }
                position = try end(of: wireType, number, from: position, within: range).upperBound
                continue
            }
            let isFirst = fault == nil
            defer { if isFirst, let fault { self.fault = fault.within(schema.name(of: field)) } }
            position = try read(field, of: message, wireType, tagAt: start, from: position, within: range, &seen)
        }
    }

    /// - Returns: where the next one begins.
    private mutating func read(
        _ field: WireSchema.Field, of message: Int, _ wireType: UInt8, tagAt start: Int, from position: Int,
        within range: Range<Int>, _ seen: inout SeenFields
    ) throws(WireFault) -> Int {
        guard wireType == field.kind.wireType else {
            isWrong("has to be \(field.kind.inProtobuf), and is \(Self.name(of: wireType))")
            if depth == .everything, case .message = field.kind {
                // That it stands there is right, and tells the kind of a frame.
                Varint.append(UInt64(field.number << 3 | 2), to: &kept)
                kept.append(0)
            }
            return try end(of: wireType, field.number, from: position, within: range).upperBound
        }
        guard field.isRepeated || seen.insert(field) else {
            isWrong("stands twice")
            return try end(of: wireType, field.number, from: position, within: range).upperBound
        }
        if let other = seen.choose(field, of: message, in: schema) { isWrong(schema.beside(other)) }
        if case .message(let inner) = field.kind {
            return try self.message(Int(inner), field.number, from: position, within: range)
        }
        let value = try end(of: wireType, field.number, from: position, within: range)
        guard depth == .everything else { return value.upperBound }
        if field.kind == .string, UTF8Text.firstInvalid(in: Array(bytes[value])) != nil {
            isWrong("is not UTF-8")
        } else {
            kept += bytes[start..<value.upperBound]
        }
        return value.upperBound
    }

    private mutating func message(
        _ inner: Int, _ number: UInt32, from position: Int, within range: Range<Int>
    ) throws(WireFault) -> Int {
        var start = position
        guard let count = Varint.read(bytes, &start, before: range.upperBound) else { throw cut(at: position) }
        // What is there of a message that is cut off may say what it was.
        let end = start + Int(min(count, UInt64(range.upperBound - start)))
        if depth == .everything {
            Varint.append(UInt64(number << 3 | 2), to: &kept)
            let length = PatchedLength(in: &kept)
            defer { length.end(in: &kept) }
            try read(inner, start..<end)
        } else {
            try read(inner, start..<end)
        }
        guard UInt64(end - start) == count else { throw cut(at: end) }
        return end
    }

    /// Where the value of a field stands.
    private func end(
        of wireType: UInt8, _ number: UInt32, from position: Int, within range: Range<Int>
    ) throws(WireFault) -> Range<Int> {
        var position = position
        let left = UInt64(range.upperBound - position)
        switch wireType {
        case 0:
            let start = position
            guard Varint.read(bytes, &position, before: range.upperBound) != nil else { throw cut(at: start) }
            return start..<position
        case 1:
            guard left >= 8 else { throw cut(at: position) }
            return position..<position + 8
        case 2:
            let start = position
            guard let count = Varint.read(bytes, &position, before: range.upperBound),
                count <= UInt64(range.upperBound - position)
            else { throw cut(at: start) }
            return position..<position + Int(count)
        case 3: return position..<(try endOfGroup(number, from: position, within: range))
        case 5:
            guard left >= 4 else { throw cut(at: position) }
            return position..<position + 4
        default: throw WireFault("the frame is not protobuf: at byte \(position) a field has no type that there is")
        }
    }

    /// A field's number and wire type. A tag has 32 bits, so at most five bytes: the generated code takes no longer ones.
    private func tag(at position: inout Int, before end: Int) -> UInt64? {
        let start = position
        guard let tag = Varint.read(bytes, &position, before: end), tag >> 3 > 0, tag <= UInt32.max,
            position - start <= 5
        else { return nil }
        return tag
    }

    /// Groups are of an older protobuf, and nest: an unknown field may be one.
    private func endOfGroup(
        _ number: UInt32, from position: Int, within range: Range<Int>
    ) throws(WireFault) -> Int {
        var open = [number]
        var position = position
        while let innermost = open.last {
            guard let tag = tag(at: &position, before: range.upperBound) else { throw cut(at: position) }
            switch UInt8(tag & 7) {
            case 3:
                open.append(UInt32(tag >> 3))
                guard open.count <= Limits.Frame.nesting else {
                    throw WireFault("the frame nests deeper than \(Limits.Frame.nesting) at byte \(position)")
                }
            case 4:
                guard innermost == UInt32(tag >> 3) else {
                    throw WireFault("the frame is not protobuf: at byte \(position) another group ends than began")
                }
                open.removeLast()
            default:
                position = try end(of: UInt8(tag & 7), UInt32(tag >> 3), from: position, within: range).upperBound
            }
        }
        return position
    }

    /// The first thing that is wrong is told. Its name it gets from the messages around it.
    private mutating func isWrong(_ problem: String) {
        if fault == nil { fault = WireFault(problem) }
    }

    private func cut(at position: Int) -> WireFault {
        WireFault("the frame is not protobuf: the value at byte \(position) has no end within its message")
    }

    private static func name(of wireType: UInt8) -> String {
        switch wireType {
        case 0: "a number"
        case 1: "a number of 64 bits of fixed length"
        case 2: "bytes with a length"
        case 3, 4: "a group"
        case 5: "a number of 32 bits of fixed length"
        default: "wire type \(wireType)"
        }
    }
}

extension WireSchema.Kind {
    /// What may stand there in protobuf, for people.
    fileprivate var inProtobuf: String {
        switch self {
        case .string: "a string"
        case .bytes: "bytes"
        case .message: "a message"
        case .bool, .uint32, .uint64, .enumeration, .unsupported: "a number"
        }
    }
}

/// Room for the length of a message that is being written: it is known at its end. A number may have more bytes than
/// it needs.
struct PatchedLength {
    private static let bytes = 5
    private let start: Int

    @inline(__always)
    init(in output: inout [UInt8]) {
        for _ in 0..<Self.bytes { output.append(0) }
        start = output.count
    }

    @inline(__always)
    func end(in output: inout [UInt8]) {
        var rest = UInt64(output.count - start)
        for index in start - Self.bytes..<start {
            output[index] = UInt8(truncatingIfNeeded: rest & 0x7f) | (index < start - 1 ? 0x80 : 0)
            rest >>= 7
        }
    }
}
