import BatonCore

/// What the load generator needs of a node's frame, picked out of the bytes: an object tree for each of millions of
/// frames would make the generator the bottleneck. Kinds that are rare are left to the generated code.
///
/// Fields are found by number, as `relay.proto` has them; a test compares with the generated code.
enum ServerFrameScan: Equatable {
    /// The number in the ref.
    case accepted(number: UInt32)
    /// A message, own or of another. `time` and `number` are nil where it is not of a load generator.
    case message(position: UInt64, sender: Range<Int>, number: UInt32?, time: UInt64?)
    /// Another entry of the inbox; nil: of a kind of a later version.
    case entry(position: UInt64, kind: EventKind?)
    case other
    case malformed

    init(_ bytes: UnsafeRawBufferPointer) {
        var fields = ProtobufFields(bytes, 0..<bytes.count)
        guard let frame = fields.next() else {
            self = .malformed
            return
        }
        switch frame.number {
        case 2: self = Self.accepted(bytes, frame.bytes)
        case 4: self = Self.event(bytes, frame.bytes)
        default: self = .other
        }
    }

    private static func accepted(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> ServerFrameScan {
        var fields = ProtobufFields(bytes, range)
        while let field = fields.next() {
            guard field.number == 1 else { continue }
            return number(bytes, field.bytes).map { .accepted(number: $0) } ?? .other
        }
        return .malformed
    }

    private static func event(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> ServerFrameScan {
        var position: UInt64 = 0
        var entry: (kind: EventKind?, bytes: Range<Int>)?
        var fields = ProtobufFields(bytes, range)
        while let field = fields.next() {
            if field.number == 1 {
                position = field.value
            } else {
                entry = (UInt32(exactly: field.number).flatMap { EventKind(rawValue: $0) }, field.bytes)
            }
        }
        guard position > 0, !fields.isBroken else { return .malformed }
        guard let entry else { return .other }
        guard entry.kind == .message else { return .entry(position: position, kind: entry.kind) }
        return Self.message(bytes, entry.bytes, at: position)
    }

    private static func message(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, at position: UInt64
    ) -> ServerFrameScan {
        var sender = 0..<0
        var number: UInt32?
        var time: UInt64?
        var fields = ProtobufFields(bytes, range)
        while let field = fields.next() {
            switch field.number {
            case 4: sender = field.bytes
            case 6: number = Self.number(bytes, field.bytes)
            case 7:
                var content = ProtobufFields(bytes, field.bytes)
                guard let text = content.next(), text.number == 1 else { continue }
                let start = text.bytes.lowerBound
                guard text.bytes.count >= SendTemplate.timeDigits else { continue }
                time = Hexadecimal.read(bytes, start..<start + SendTemplate.timeDigits)
            default: break
            }
        }
        guard !fields.isBroken else { return .malformed }
        return .message(position: position, sender: sender, number: number, time: time)
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ ref: Range<Int>) -> UInt32? {
        guard ref.count >= SendTemplate.numberDigits else { return nil }
        let digits = ref.upperBound - SendTemplate.numberDigits..<ref.upperBound
        return Hexadecimal.read(bytes, digits).map { UInt32(truncatingIfNeeded: $0) }
    }
}

/// Walks the fields of an encoded message; whatever the bytes are, it stays inside them.
struct ProtobufFields {
    struct Field {
        let number: UInt64
        /// Of a varint.
        let value: UInt64
        /// Of a length-delimited field.
        let bytes: Range<Int>
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset: Int
    private let end: Int
    /// The bytes are no message.
    private(set) var isBroken = false

    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
        end = range.upperBound
    }

    mutating func next() -> Field? {
        guard offset < end else { return nil }
        guard let tag = varint() else { return broken() }
        switch tag & 7 {
        case 0:
            guard let value = varint() else { return broken() }
            return Field(number: tag >> 3, value: value, bytes: 0..<0)
        case 1: return skip(8, tag)
        case 2:
            guard let count = varint(), count <= UInt64(end - offset) else { return broken() }
            return skip(Int(count), tag)
        case 5: return skip(4, tag)
        default: return broken()
        }
    }

    private mutating func skip(_ count: Int, _ tag: UInt64) -> Field? {
        guard end - offset >= count else { return broken() }
        offset += count
        return Field(number: tag >> 3, value: 0, bytes: offset - count..<offset)
    }

    private mutating func varint() -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while offset < end, shift < 64 {
            let byte = bytes[offset]
            offset += 1
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }

    private mutating func broken() -> Field? {
        isBroken = true
        offset = end
        return nil
    }
}
