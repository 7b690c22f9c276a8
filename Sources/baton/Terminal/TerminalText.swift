/// Text for a terminal: made harmless, measured in columns, wrapped.
///
/// Whatever others wrote is passed through `safe` before it is shown: no control character, and so no escape sequence,
/// reaches the terminal, and nothing that turns the direction of what follows. Widths are those of the usual terminals:
/// two columns for wide letters and emoji, none for marks.
enum TerminalText {
    /// Marks on one letter; more of them only smear over the lines around.
    static let marksInARow = 4

    /// The text without anything that could act on a terminal.
    ///
    /// - Parameter keepingLines: line breaks stay, as `\n`; else they are blanks.
    static func safe(_ text: String, keepingLines: Bool = false) -> String {
        var safe = String.UnicodeScalarView()
        var marks = 0
        var afterReturn = false
        for scalar in text.unicodeScalars {
            let isSecondOfBreak = afterReturn && scalar == "\n"
            afterReturn = scalar == "\r"
            if isSecondOfBreak { continue }
            switch scalar {
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": safe.append(keepingLines ? "\n" : " ")
            case "\t": safe.append(" ")
            // Joiners make emoji and several scripts; they print nothing.
            case "\u{200c}", "\u{200d}": safe.append(scalar)
            default:
                switch scalar.properties.generalCategory {
                case .control: safe.append("\u{fffd}")
                case .format: continue
                case .nonspacingMark, .enclosingMark:
                    marks += 1
                    if marks <= marksInARow { safe.append(scalar) }
                    continue
                default: safe.append(scalar)
                }
            }
            marks = 0
        }
        return String(safe)
    }

    /// Columns that the text takes on one line.
    static func width(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + width(of: $1) }
    }

    static func width(of character: Character) -> Int {
        var widest = 0
        for scalar in character.unicodeScalars {
            // The sign that asks for an emoji's picture makes it wide.
            if scalar == "\u{fe0f}" { return 2 }
            widest = max(widest, width(of: scalar))
            if widest == 2 { return 2 }
        }
        return widest
    }

    /// The beginning of the text that fits; where something is left out, `…` says so.
    static func cut(_ text: String, to columns: Int) -> String {
        guard columns > 0 else { return "" }
        var used = 0
        for index in text.indices {
            used += width(of: text[index])
            guard used > columns else { continue }
            return head(text, columns: columns - 1) + "…"
        }
        return text
    }

    /// The text on lines of at most so many columns, broken at blanks where there are some. Never empty.
    static func wrapped(_ text: String, columns: Int) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrappedLine($0, max(1, columns)) }
    }

    private static func wrappedLine(_ line: Substring, _ columns: Int) -> [String] {
        var lines: [String] = []
        var start = line.startIndex
        var used = 0
        var blank: Substring.Index?
        var index = start
        while index < line.endIndex {
            let columnsOfThis = width(of: line[index])
            if used + columnsOfThis > columns, index > start {
                let end = line[index] == " " ? index : blank ?? index
                lines.append(String(line[start..<end]))
                start = end < line.endIndex && line[end] == " " ? line.index(after: end) : end
                index = start
                used = 0
                blank = nil
                continue
            }
            if line[index] == " " { blank = index }
            used += columnsOfThis
            index = line.index(after: index)
        }
        lines.append(String(line[start...]))
        return lines
    }

    private static func head(_ text: String, columns: Int) -> String {
        var used = 0
        return String(
            text.prefix { character in
                used += width(of: character)
                return used <= columns
            })
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x7f { return scalar.value < 0x20 ? 0 : 1 }
        switch scalar.properties.generalCategory {
        case .control, .format, .nonspacingMark, .enclosingMark, .surrogate: return 0
        default: break
        }
        if scalar.properties.isEmojiPresentation { return 2 }
        return wide.contains { $0.contains(scalar.value) } ? 2 : 1
    }

    /// Blocks of wide letters. Source: Unicode's EastAsianWidth, classes W and F.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf,
        0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6,
        0x1f200...0x1f2ff, 0x20000...0x3fffd,
    ]
}
