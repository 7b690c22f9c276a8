/// Tells whether bytes are UTF-8 while they arrive, so that a wrong text is refused at its first wrong byte and not
/// when the message is complete.
///
/// It knows only what it needs for that: how many continuation bytes are due, and the range of the next one. The range
/// is narrower than 80...BF after E0, ED, F0 and F4, which is what excludes overlong forms, surrogates and everything
/// above U+10FFFF.
package struct UTF8Validator: Hashable, Sendable {
    private var continuations: UInt8 = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    package init() {}

    /// Whether no character is unfinished.
    package var isComplete: Bool { continuations == 0 }

    /// Takes the next bytes.
    ///
    /// - Returns: false where the bytes so far begin no UTF-8 text.
    package mutating func accepts(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < bytes.count {
            if continuations == 0 {
                position = Self.endOfASCII(bytes, from: position)
                guard position < bytes.count else { return true }
            }
            guard accepts(bytes[position]) else { return false }
            position += 1
        }
        return true
    }

    private mutating func accepts(_ byte: UInt8) -> Bool {
        if continuations > 0 {
            guard (lowest...highest).contains(byte) else { return false }
            continuations -= 1
            lowest = 0x80
            highest = 0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: expect(1)
        case 0xE0: expect(2, from: 0xA0)
        case 0xED: expect(2, to: 0x9F)
        case 0xE1...0xEF: expect(2)
        case 0xF0: expect(3, from: 0x90)
        case 0xF1...0xF3: expect(3)
        case 0xF4: expect(3, to: 0x8F)
        default: return false
        }
        return true
    }

    private mutating func expect(_ count: UInt8, from lowest: UInt8 = 0x80, to highest: UInt8 = 0xBF) {
        continuations = count
        self.lowest = lowest
        self.highest = highest
    }

    /// The position of the first byte that is not ASCII; eight bytes at a time, because nearly all text is.
    private static func endOfASCII(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start
        while bytes.count - position >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard word & 0x8080_8080_8080_8080 == 0 else { break }
            position += 8
        }
        while position < bytes.count, bytes[position] < 0x80 { position += 1 }
        return position
    }
}
