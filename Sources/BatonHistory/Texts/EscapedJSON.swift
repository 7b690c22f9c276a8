/// JSON as clients write it that escape all that is not ASCII, as Python's `json.dumps` does.
package enum EscapedJSON {
    /// - Parameter json: JSON in UTF-8, in which everything that is not ASCII stands within strings.
    package static func escape(_ json: [UInt8]) -> [UInt8] {
        guard json.contains(where: { $0 >= 0x80 }) else { return json }
        var escaped: [UInt8] = []
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            if scalar.isASCII {
                escaped.append(UInt8(scalar.value))
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                escaped += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
            }
        }
        return escaped
    }
}
