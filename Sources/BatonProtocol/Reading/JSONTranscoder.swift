import BatonCore

/// Turns the JSON of a message into its protobuf, by the contract's own description.
///
/// So both encodings are read by the same generated code, and what may stand in JSON is decided here: every value that
/// the contract does not allow becomes a `WireFault` that names its field. Reading goes on behind it where that is
/// possible, and what was right is in ``output``: an answer may need the `ref` that stands there.
///
/// The rules, which the article `Protocol` tells clients:
/// - unknown fields are passed over, whatever they hold, as long as it is JSON;
/// - a field stands once, and of a choice (`oneof`) one; `null` is the same as leaving the field out;
/// - numbers may be in quotes, bytes are base64 of either alphabet, with or without padding;
/// - a string is Unicode: an escape of half a character has its other half behind it.
struct JSONTranscoder {
    private let schema: WireSchema
    private var reader: JSONReader
    /// The protobuf of all that was right.
    private(set) var output: [UInt8] = []
    /// The first thing that was wrong.
    private(set) var fault: WireFault?
    /// The first field of the outermost message that the contract does not have.
    private(set) var unknownField: String?

    /// Reads a text that holds one message and nothing else.
    init(_ bytes: [UInt8], as message: Int, of schema: WireSchema = .shared) {
        self.schema = schema
        reader = JSONReader(bytes)
        output.reserveCapacity(bytes.count + 32)
        if let position = UTF8Text.firstInvalid(in: bytes) {
            fault = WireFault("the text is not UTF-8: the first wrong byte is byte \(position)")
            return
        }
        do throws(WireFault) {
            guard reader.next() == UInt8(ascii: "{") else {
                let found = try passValue()
                throw WireFault("the text has to be one JSON object, and is \(found)")
            }
            try object(message, isOutermost: true)
            _ = reader.next()
            guard reader.isAtEnd else {
                throw WireFault("the text has to be one JSON object; at byte \(reader.position) another value follows")
            }
        } catch {
            if fault == nil { fault = error }
        }
    }

    // MARK: Messages

    private mutating func object(_ message: Int, isOutermost: Bool = false) throws(WireFault) {
        try reader.enter()
        guard !reader.leave(UInt8(ascii: "}")) else { return }
        var seen = SeenFields()
        repeat {
            let key = try reader.takeKey()
            if let field = field(key, of: message) {
                try member(field, of: message, &seen)
            } else {
                if isOutermost, unknownField == nil { unknownField = Excerpt.of(reader.bytes[key.range]) }
                try unknownMember(key)
            }
        } while try reader.goOn(orLeave: UInt8(ascii: "}"))
    }

    private mutating func member(
        _ field: WireSchema.Field, of message: Int, _ seen: inout SeenFields
    ) throws(WireFault) {
        // What is wrong within it gets its name, also where reading ends there.
        let isFirst = fault == nil
        defer { if isFirst, fault != nil || reader.flaw != nil { name(schema.name(of: field)) } }
        guard seen.insert(field) else {
            isWrong("stands twice")
            return try reader.skipValue()
        }
        if reader.next() == UInt8(ascii: "n") { return try null(field) }
        if let other = seen.choose(field, of: message, in: schema) { isWrong(schema.beside(other)) }
        if field.isRepeated {
            try array(field)
        } else {
            try element(field)
        }
    }

    private mutating func unknownMember(_ key: JSONReader.Text) throws(WireFault) {
        let isFirst = fault == nil
        defer { if isFirst, reader.flaw != nil { name(Excerpt.of(reader.bytes[key.range])) } }
        reader.check(key)
        try reader.skipValue()
    }

    /// The field of the name that stands there.
    @inline(__always)
    private mutating func field(_ key: JSONReader.Text, of message: Int) -> WireSchema.Field? {
        if key.hasEscapes { return escapedField(key, of: message) }
        guard let name = PackedName(reader.bytes, key.range) else { return nil }
        return schema.field(named: name, of: message)
    }

    private mutating func escapedField(_ key: JSONReader.Text, of message: Int) -> WireSchema.Field? {
        reader.check(key)
        var name: [UInt8] = []
        guard JSONString.append(key, of: reader.bytes, to: &name) == nil,
            let packed = PackedName(name, name.indices)
        else { return nil }
        return schema.field(named: packed, of: message)
    }

    private mutating func array(_ field: WireSchema.Field) throws(WireFault) {
        guard reader.next() == UInt8(ascii: "[") else { return try isOtherType(field) }
        try reader.enter()
        guard !reader.leave(UInt8(ascii: "]")) else { return }
        repeat {
            try element(field)
        } while try reader.goOn(orLeave: UInt8(ascii: "]"))
    }

    private mutating func element(_ field: WireSchema.Field) throws(WireFault) {
        switch (field.kind, reader.next()) {
        case (.message(let inner), UInt8(ascii: "{")):
            append(tag: field)
            let length = PatchedLength(in: &output)
            // Also where reading ends here: what came before is needed.
            defer { length.end(in: &output) }
            try object(Int(inner))
        case (.string, UInt8(ascii: "\"")): try string(field)
        case (.bytes, UInt8(ascii: "\"")): try bytes(field)
        case (.enumeration(let number), UInt8(ascii: "\"")): enumeration(number, try reader.takeString(), field)
        case (.uint32, _), (.uint64, _), (.enumeration, _): try number(field)
        case (.bool, _): try bool(field)
        default: try isOtherType(field)
        }
    }

    // MARK: Values

    private mutating func string(_ field: WireSchema.Field) throws(WireFault) {
        let text = try reader.takeString()
        let before = output.count
        append(tag: field)
        let length = PatchedLength(in: &output)
        if let problem = JSONString.append(text, of: reader.bytes, to: &output) {
            output.removeSubrange(before...)
            isWrong(problem)
        } else {
            length.end(in: &output)
        }
    }

    private mutating func bytes(_ field: WireSchema.Field) throws(WireFault) {
        let text = try reader.takeString()
        let before = output.count
        append(tag: field)
        let length = PatchedLength(in: &output)
        var isRight = true
        if text.hasEscapes {
            var plain: [UInt8] = []
            isRight = JSONString.append(text, of: reader.bytes, to: &plain) == nil
            isRight = isRight && Base64Text.append(plain[...], to: &output)
        } else {
            isRight = Base64Text.append(reader.bytes[text.range], to: &output)
        }
        if isRight {
            length.end(in: &output)
        } else {
            output.removeSubrange(before...)
            isWrong("has to be base64, and is \"\(Excerpt.of(reader.bytes[text.range]))\"")
        }
    }

    private mutating func number(_ field: WireSchema.Field) throws(WireFault) {
        let range: Range<Int>
        var digits = reader.bytes
        var isQuoted = false
        switch reader.next() {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return try isOtherType(field)
        case UInt8(ascii: "\""):
            let text = try reader.takeString()
            isQuoted = true
            if text.hasEscapes {
                digits = []
                if let problem = JSONString.append(text, of: reader.bytes, to: &digits) { return isWrong(problem) }
                range = digits.indices
            } else {
                range = text.range
            }
        default: range = try reader.takeScalar()
        }
        let most = field.kind == .uint64 ? UInt64.max : UInt64(UInt32.max)
        guard case .number(let value) = JSONNumber(digits, range)?.whole, value <= most else {
            let quote = isQuoted ? "\"" : ""
            let found = quote + Excerpt.of(digits[range]) + quote
            return isWrong("has to be a whole number from 0 to \(most), and is \(found)")
        }
        append(tag: field)
        Varint.append(value, to: &output)
    }

    private mutating func bool(_ field: WireSchema.Field) throws(WireFault) {
        switch reader.next() {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""): return try isOtherType(field)
        default: break
        }
        let range = try reader.takeScalar()
        guard case .bool(let value) = JSONScalar(reader.bytes, range) else {
            return isWrong("has to be true or false, and is \(Excerpt.of(reader.bytes[range]))")
        }
        append(tag: field)
        output.append(value ? 1 : 0)
    }

    /// A value of another version is passed over, as an unknown field is.
    private mutating func enumeration(_ number: UInt8, _ text: JSONReader.Text, _ field: WireSchema.Field) {
        reader.check(text)
        var name: [UInt8] = []
        guard JSONString.append(text, of: reader.bytes, to: &name) == nil,
            let value = schema.value(named: String(decoding: name, as: UTF8.self), of: number)
        else { return }
        append(tag: field)
        Varint.append(value, to: &output)
    }

    /// `null`, or another word that begins like it.
    private mutating func null(_ field: WireSchema.Field) throws(WireFault) {
        let range = try reader.takeScalar()
        guard JSONScalar(reader.bytes, range) != .null else { return }
        keepEmpty(field)
        isWrong("has to be \(field.allowed), and is \(Excerpt.of(reader.bytes[range]))")
    }

    // MARK: What is wrong

    /// The first thing that is wrong is told. Its name it gets from the members around it.
    private mutating func isWrong(_ problem: String) {
        if fault == nil { fault = WireFault(problem) }
    }

    private mutating func name(_ name: String) {
        fault = (fault ?? WireFault(reader.flaw ?? "")).within(name)
    }

    private mutating func isOtherType(_ field: WireSchema.Field) throws(WireFault) {
        keepEmpty(field)
        let found = try passValue()
        isWrong("has to be \(field.allowed), and is \(found)")
    }

    /// That a message stands there is right, whatever its value is, and tells the kind of a frame.
    private mutating func keepEmpty(_ field: WireSchema.Field) {
        guard case .message = field.kind else { return }
        append(tag: field)
        output.append(0)
    }

    /// Passes over a value.
    ///
    /// - Returns: what it is, for people.
    private mutating func passValue() throws(WireFault) -> String {
        let first = reader.next()
        let start = reader.position
        try reader.skipValue()
        switch first {
        case UInt8(ascii: "{"): return "an object"
        case UInt8(ascii: "["): return "an array"
        default: return Excerpt.of(reader.bytes[start..<reader.position])
        }
    }

    // MARK: Protobuf

    @inline(__always)
    private mutating func append(tag field: WireSchema.Field) {
        Varint.append(UInt64(field.number << 3 | UInt32(field.kind.wireType)), to: &output)
    }
}

extension WireSchema.Field {
    /// What may stand there in JSON, for people.
    var allowed: String { isRepeated ? "an array, each of it \(kind.allowed)" : kind.allowed }
}

extension WireSchema.Kind {
    /// What may stand there in JSON, for people.
    fileprivate var allowed: String {
        switch self {
        case .string: "a string"
        case .bytes: "a string of base64"
        case .bool: "true or false"
        case .uint32: "a whole number from 0 to \(UInt32.max)"
        case .uint64: "a whole number from 0 to \(UInt64.max)"
        case .enumeration: "a name or a number"
        case .message: "an object"
        case .unsupported: "left out"
        }
    }
}
