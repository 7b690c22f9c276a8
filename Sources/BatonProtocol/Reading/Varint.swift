/// Numbers as protobuf writes them: seven bits a byte, the lowest first.
enum Varint {
    /// The most bytes that a number of 64 bits has.
    static let bytes = 10

    static func count(_ number: UInt64) -> Int { max(1, (64 - number.leadingZeroBitCount + 6) / 7) }

    @inline(__always)
    static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Reads the number at a position, and moves it behind.
    ///
    /// - Returns: nil where there is none, whole, before the end.
    @inline(__always)
    static func read(_ bytes: [UInt8], _ position: inout Int, before end: Int) -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 7 * UInt64(Self.bytes) {
            let byte = bytes[position]
            position += 1
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }
}
