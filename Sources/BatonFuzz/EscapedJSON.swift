/// The same JSON with each character of its strings as an escape, as clients write it that keep to ASCII.
enum EscapedJSON {
    /// - Returns: nil where the bytes are no UTF-8, so that they have no characters.
    static func of(_ json: [UInt8]) -> [UInt8]? {
        guard let text = String(validating: json, as: UTF8.self) else { return nil }
        var output: [UInt8] = []
        var isInString = false
        var scalars = text.unicodeScalars.makeIterator()
        var next = scalars.next()
        while let scalar = next {
            next = scalars.next()
            switch scalar {
            case "\"":
                isInString.toggle()
                output.append(UInt8(ascii: "\""))
            case "\\" where isInString:
                output.append(UInt8(ascii: "\\"))
                guard let escaped = next else { break }
                output += String(escaped).utf8
                next = scalars.next()
                // The digits of an escape stay as they are.
                var digits = escaped == "u" ? 4 : 0
                while digits > 0, let digit = next, digit.properties.isASCIIHexDigit {
                    output += String(digit).utf8
                    next = scalars.next()
                    digits -= 1
                }
            case "\u{20}"... where isInString:
                for unit in UTF16.encode(scalar) ?? .init() { append(unit, to: &output) }
            default: output += String(scalar).utf8
            }
        }
        return output
    }

    private static func append(_ unit: UInt16, to output: inout [UInt8]) {
        let digits = String(unit, radix: 16)
        output += "\\u".utf8
        output += String(repeating: "0", count: 4 - digits.count).utf8
        output += digits.utf8
    }
}
