/// Makes keys of a terminal's bytes, however they are split.
///
/// Unknown escape sequences are swallowed whole, so that they do not end up as text.
struct KeyParser {
    /// Bytes of one paste that are kept; no message may be longer.
    static let pasteBytes = 64 * 1024
    private static let sequenceBytes = 32
    private static let pasteEnd = Array("\u{1b}[201~".utf8)

    private enum State {
        case ground
        case escaped
        /// Behind `ESC [` or `ESC O`: the sequence's bytes so far.
        case sequence([UInt8])
        case pasting([UInt8])
    }

    private var state = State.ground
    /// The bytes of a letter, or of a run of them, that are not complete.
    private var text: [UInt8] = []

    mutating func parse(_ bytes: some Sequence<UInt8>) -> [Key] {
        var keys: [Key] = []
        for byte in bytes { take(byte, &keys) }
        flush(&keys, isEnd: false)
        return keys
    }

    private mutating func take(_ byte: UInt8, _ keys: inout [Key]) {
        switch state {
        case .ground: ground(byte, &keys)
        case .escaped: escaped(byte, &keys)
        case .sequence(var sequence):
            sequence.append(byte)
            if (0x40...0x7e).contains(byte), sequence.count > 1 || byte != UInt8(ascii: "[") {
                state = .ground
                ended(sequence, &keys)
            } else {
                state = sequence.count < Self.sequenceBytes ? .sequence(sequence) : .ground
            }
        case .pasting(var pasted):
            // The state lets go of the bytes first: appending copies nothing.
            state = .ground
            pasted.append(byte)
            if byte == UInt8(ascii: "~"), pasted.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd) {
                let content = pasted.dropLast(Self.pasteEnd.count).prefix(Self.pasteBytes)
                let text = TerminalText.typed(String(decoding: content, as: UTF8.self), keepingLines: true)
                if !text.isEmpty { keys.append(.paste(text)) }
            } else {
                // Too long: the end may still come, so the last bytes stay, the ones in between go.
                if pasted.count > Self.pasteBytes + 64 {
                    pasted.remove(at: Self.pasteBytes)
                }
                state = .pasting(pasted)
            }
        }
    }

    private mutating func ground(_ byte: UInt8, _ keys: inout [Key]) {
        guard byte < 0x20 || byte == 0x7f else { return text.append(byte) }
        flush(&keys, isEnd: true)
        switch byte {
        case 0x1b: state = .escaped
        case 0x0d, 0x0a: keys.append(.enter)
        case 0x7f, 0x08: keys.append(.backspace)
        case 0x09: keys.append(.tab)
        case 0x00: break
        default: keys.append(.control(Character(Unicode.Scalar(byte | 0x60))))
        }
    }

    private mutating func escaped(_ byte: UInt8, _ keys: inout [Key]) {
        state = .ground
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "O"): state = .sequence([])
        case 0x1b: state = .escaped
        case 0x0d, 0x0a: keys.append(.lineBreak)
        case 0x7f, 0x08: keys.append(.control("w"))
        case UInt8(ascii: "b"): keys.append(.wordLeft)
        case UInt8(ascii: "f"): keys.append(.wordRight)
        default: break
        }
    }

    private mutating func ended(_ sequence: [UInt8], _ keys: inout [Key]) {
        switch String(decoding: sequence, as: UTF8.self) {
        case "A": keys.append(.up)
        case "B": keys.append(.down)
        case "C": keys.append(.right)
        case "D": keys.append(.left)
        case "H", "1~", "7~": keys.append(.home)
        case "F", "4~", "8~": keys.append(.end)
        case "3~": keys.append(.delete)
        case "5~": keys.append(.pageUp)
        case "6~": keys.append(.pageDown)
        case "1;5D", "1;3D", "5D": keys.append(.wordLeft)
        case "1;5C", "1;3C", "5C": keys.append(.wordRight)
        case "200~": state = .pasting([])
        default: break
        }
    }

    /// Complete letters become a key; the first bytes of one that is not complete wait for the rest.
    private mutating func flush(_ keys: inout [Key], isEnd: Bool) {
        let open = isEnd ? 0 : Self.incompleteBytes(at: text)
        let complete = text.dropLast(open)
        if !complete.isEmpty {
            let typed = TerminalText.typed(String(decoding: complete, as: UTF8.self))
            if !typed.isEmpty { keys.append(.text(typed)) }
        }
        text = Array(text.suffix(open))
    }

    /// How many bytes at the end are the beginning of a letter.
    private static func incompleteBytes(at bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            if byte & 0xc0 != 0x80 { return length > back ? back : 0 }
        }
        return 0
    }
}
