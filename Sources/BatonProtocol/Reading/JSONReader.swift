import BatonCore

/// Reads JSON (RFC 8259) value by value, in one pass and without recursion.
///
/// It decides what is JSON and where a value ends, and nothing of what a value means. Two kinds of wrong text are told
/// apart. After a hard one nobody knows where the next value begins: it is thrown. A soft one is a single value that is
/// wrong, whose end is clear: it is kept in ``flaw``, and reading goes on, because a `ref` may follow.
struct JSONReader {
    let bytes: [UInt8]
    private(set) var position = 0
    /// What is wrong with the first value that is, to be read after its name.
    private(set) var flaw: String?
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A string between its quotes, as it stands there.
    struct Text {
        let range: Range<Int>
        let hasEscapes: Bool
    }

    // MARK: Structure

    /// The next byte that is no white space; it is not taken. 0 is the end, and as a byte of JSON as wrong as that.
    @inline(__always)
    mutating func next() -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
            position += 1
        }
        return 0
    }

    var isAtEnd: Bool { position == bytes.count }

    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard next() == byte else { return false }
        position += 1
        return true
    }

    /// Begins an object or an array, whose first byte is the next.
    @inline(__always)
    mutating func enter() throws(WireFault) {
        depth += 1
        guard depth <= Limits.Frame.nesting else {
            throw WireFault("the text nests deeper than \(Limits.Frame.nesting) at byte \(position)")
        }
        position += 1
    }

    /// Ends it where its last byte is the next.
    ///
    /// - Returns: whether it ended.
    @inline(__always)
    mutating func leave(_ closing: UInt8) -> Bool {
        guard take(closing) else { return false }
        depth -= 1
        return true
    }

    /// Goes on to the next member or element.
    ///
    /// - Returns: false where there is none: the object or array ended.
    @inline(__always)
    mutating func goOn(orLeave closing: UInt8) throws(WireFault) -> Bool {
        if take(UInt8(ascii: ",")) { return true }
        guard leave(closing) else {
            throw misplaced("a comma or \(Character(UnicodeScalar(closing)))")
        }
        return false
    }

    /// The name of a member, and the colon behind it.
    @inline(__always)
    mutating func takeKey() throws(WireFault) -> Text {
        guard next() == UInt8(ascii: "\"") else { throw misplaced("a name in quotes") }
        let text = try takeString()
        guard take(UInt8(ascii: ":")) else { throw misplaced("a colon") }
        return text
    }

    // MARK: Values

    /// A string, whose first quote is the next byte.
    @inline(__always)
    mutating func takeString() throws(WireFault) -> Text {
        let start = position + 1
        var index = start
        var hasEscapes = false
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") {
                position = index + 1
                return Text(range: start..<index, hasEscapes: hasEscapes)
            }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                index += 1
            } else if byte < 0x20 {
                isWrong("has a control character that is not escaped", at: index)
            }
            index += 1
        }
        throw WireFault("the text is not JSON: the string that begins at byte \(position) has no end")
    }

    /// Anything else than objects, arrays and strings, right or wrong: `true`, a number, `NaN`.
    mutating func takeScalar() throws(WireFault) -> Range<Int> {
        let start = position
        scan: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"), UInt8(ascii: "\""),
                UInt8(ascii: "["), UInt8(ascii: "{"), 0x20, 0x0a, 0x0d, 0x09:
                break scan
            default: position += 1
            }
        }
        guard position > start else { throw misplaced("a value") }
        return start..<position
    }

    /// Passes over a value, which has to be JSON all the same.
    mutating func skipValue() throws(WireFault) {
        // One bit a level: whether it is an object.
        var levels: UInt64 = 0
        var level = 0
        repeat {
            switch next() {
            case UInt8(ascii: "{"):
                try enter()
                if !leave(UInt8(ascii: "}")) {
                    check(try takeKey())
                    levels = levels << 1 | 1
                    level += 1
                    continue
                }
            case UInt8(ascii: "["):
                try enter()
                if !leave(UInt8(ascii: "]")) {
                    levels <<= 1
                    level += 1
                    continue
                }
            case UInt8(ascii: "\""): check(try takeString())
            default: check(scalar: try takeScalar())
            }
            while level > 0 {
                let isObject = levels & 1 == 1
                if try goOn(orLeave: isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    if isObject { check(try takeKey()) }
                    break
                }
                levels >>= 1
                level -= 1
            }
        } while level > 0
    }

    // MARK: What is wrong

    /// What stands there in the place of something else.
    func misplaced(_ due: String) -> WireFault {
        guard position < bytes.count else {
            return WireFault("the text is not JSON: it ends at byte \(position), where \(due) belongs")
        }
        let found = Excerpt.of(bytes[position..<position + 1])
        return WireFault("the text is not JSON: at byte \(position) is \(found), where \(due) belongs")
    }

    private mutating func isWrong(_ problem: String, at position: Int) {
        if flaw == nil { flaw = "\(problem), at byte \(position)" }
    }

    /// Looks at a scalar that nobody reads.
    mutating func check(scalar range: Range<Int>) {
        guard JSONScalar(bytes, range) == .wrong else { return }
        isWrong("is \(Excerpt.of(bytes[range])), which is not JSON", at: range.lowerBound)
    }

    /// Looks at the escapes of a string that nobody reads. Halves of characters are for those who do.
    @inline(__always)
    mutating func check(_ text: Text) {
        if text.hasEscapes { checkEscapes(text.range) }
    }

    private mutating func checkEscapes(_ range: Range<Int>) {
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                index += 1
                continue
            }
            guard let escape = JSONEscape(bytes, at: index, before: range.upperBound) else {
                return isWrong("has an escape that JSON does not have", at: index)
            }
            index += escape.count
        }
    }
}

/// What stands for one UTF-16 unit in a string.
struct JSONEscape {
    let unit: UInt32
    /// Its bytes in the text, the backslash included.
    let count: Int

    /// Nil where it is none of JSON's.
    init?(_ bytes: [UInt8], at start: Int, before end: Int) {
        guard start + 1 < end else { return nil }
        count = bytes[start + 1] == UInt8(ascii: "u") ? 6 : 2
        switch bytes[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unit = UInt32(bytes[start + 1])
        case UInt8(ascii: "b"): unit = 0x08
        case UInt8(ascii: "f"): unit = 0x0c
        case UInt8(ascii: "n"): unit = 0x0a
        case UInt8(ascii: "r"): unit = 0x0d
        case UInt8(ascii: "t"): unit = 0x09
        case UInt8(ascii: "u"):
            guard start + 6 <= end else { return nil }
            var number: UInt32 = 0
            for index in start + 2..<start + 6 {
                guard let digit = Self.hexadecimal(bytes[index]) else { return nil }
                number = number << 4 | digit
            }
            unit = number
        default: return nil
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}

/// What a value is that is neither object nor array nor string.
enum JSONScalar: Equatable {
    case null
    case bool(Bool)
    case number
    case wrong

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        guard let first = bytes[range].first else {
            self = .wrong
            return
        }
        switch first {
        case UInt8(ascii: "n") where bytes[range].elementsEqual("null".utf8): self = .null
        case UInt8(ascii: "t") where bytes[range].elementsEqual("true".utf8): self = .bool(true)
        case UInt8(ascii: "f") where bytes[range].elementsEqual("false".utf8): self = .bool(false)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            self = JSONNumber(bytes, range) == nil ? .wrong : .number
        default: self = .wrong
        }
    }
}
