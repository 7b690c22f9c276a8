/// What a string of JSON stands for.
enum JSONString {
    /// Appends its UTF-8.
    ///
    /// - Returns: what is wrong with it, for people, where something is.
    @inline(__always)
    static func append(_ text: JSONReader.Text, of bytes: [UInt8], to output: inout [UInt8]) -> String? {
        guard text.hasEscapes else {
            output.append(contentsOf: bytes[text.range])
            return nil
        }
        return appendEscaped(text.range, of: bytes, to: &output)
    }

    private static func appendEscaped(_ range: Range<Int>, of bytes: [UInt8], to output: inout [UInt8]) -> String? {
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                output.append(bytes[index])
                index += 1
                continue
            }
            guard let escape = JSONEscape(bytes, at: index, before: range.upperBound) else {
                return "has an escape that JSON does not have: \(Excerpt.of(bytes[index..<range.upperBound].prefix(6)))"
            }
            let start = index
            index += escape.count
            var code = escape.unit
            if (0xd800...0xdfff).contains(code) {
                // A character beyond the first 65,536 is two escapes, the high half first (RFC 8259, 7).
                guard code < 0xdc00, index < range.upperBound, bytes[index] == UInt8(ascii: "\\"),
                    let low = JSONEscape(bytes, at: index, before: range.upperBound),
                    (0xdc00...0xdfff).contains(low.unit)
                else { return "has half a character: \(Excerpt.of(bytes[start..<start + escape.count]))" }
                code = 0x10000 + (code - 0xd800) << 10 + (low.unit - 0xdc00)
                index += low.count
            }
            append(code, to: &output)
        }
        return nil
    }

    /// The UTF-8 of a code point that is no surrogate.
    private static func append(_ code: UInt32, to output: inout [UInt8]) {
        func byte(_ lead: UInt32, _ shift: UInt32, _ mask: UInt32) -> UInt8 { UInt8(lead | code >> shift & mask) }
        switch code {
        case ..<0x80: output.append(byte(0, 0, 0x7f))
        case ..<0x800: output += [byte(0xc0, 6, 0x1f), byte(0x80, 0, 0x3f)]
        case ..<0x10000: output += [byte(0xe0, 12, 0x0f), byte(0x80, 6, 0x3f), byte(0x80, 0, 0x3f)]
        default: output += [byte(0xf0, 18, 0x07), byte(0x80, 12, 0x3f), byte(0x80, 6, 0x3f), byte(0x80, 0, 0x3f)]
        }
    }
}

/// Base64 (RFC 4648) as proto3 JSON has it: of either alphabet, with or without padding.
enum Base64Text {
    /// Appends the bytes that a text stands for.
    ///
    /// - Returns: whether it was base64; otherwise a part of them was appended.
    static func append(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) -> Bool {
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding == 0 || text.count % 4 == 0 else { return false }
        let digits = text.dropLast(padding)
        guard digits.count % 4 != 1 else { return false }
        var bits: UInt32 = 0
        var count = 0
        for digit in digits {
            guard let six = value(of: digit) else { return false }
            bits = bits << 6 | six
            count += 1
            guard count == 4 else { continue }
            output.append(UInt8(truncatingIfNeeded: bits >> 16))
            output.append(UInt8(truncatingIfNeeded: bits >> 8))
            output.append(UInt8(truncatingIfNeeded: bits))
            (bits, count) = (0, 0)
        }
        if count == 3 { output.append(UInt8(truncatingIfNeeded: bits >> 10)) }
        if count >= 2 { output.append(UInt8(truncatingIfNeeded: bits >> (count == 3 ? 2 : 4))) }
        return true
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}

/// Whether bytes are UTF-8.
enum UTF8Text {
    /// The position of the first byte that is not.
    static func firstInvalid(in bytes: [UInt8]) -> Int? {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: bytes.span)
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }
}
