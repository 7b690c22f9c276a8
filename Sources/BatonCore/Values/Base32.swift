/// Crockford's base 32 in lower case, for 64-bit ids: 13 characters that sort like the number and can be read aloud.
///
/// Source: <https://www.crockford.com/base32.html>. Decoding is strict: one id has one text.
package enum Base32 {
    /// Characters of an encoded 64-bit id.
    package static let length = 13

    private static let digits: [UInt8] = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    /// The value of each ASCII character, 255 where it is no digit.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    package static func encode(_ number: UInt64) -> String {
        String(unsafeUninitializedCapacity: length) { buffer in
            var rest = number
            for index in stride(from: length - 1, through: 0, by: -1) {
                buffer[index] = digits[Int(rest & 31)]
                rest >>= 5
            }
            return length
        }
    }

    /// - Returns: nil for another length, a character outside the alphabet, or more than 64 bits.
    package static func decode(_ text: some Sequence<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        var count = 0
        for character in text {
            let value = values[Int(character)]
            guard value != 255, count < length, count > 0 || value < 16 else { return nil }
            number = number << 5 | UInt64(value)
            count += 1
        }
        return count == length ? number : nil
    }
}
