import BatonCore

/// Text for a terminal: measured in columns, wrapped, and what is typed there.
///
/// What others wrote is passed through `PrintableText` before it is shown. Widths are those of the usual terminals: two
/// columns for wide letters and emoji, none for marks.
enum TerminalText {
    /// A message that is shown: its line breaks, of whatever kind they are, are `\n`.
    static func message(_ text: String) -> String {
        PrintableText.escaped(withLineBreaks(text), keepingLines: true)
    }

    /// What a person typed or pasted, without control characters: no key makes them part of a text.
    static func typed(_ text: String, keepingLines: Bool = false) -> String {
        var typed = String.UnicodeScalarView()
        for scalar in withLineBreaks(text).unicodeScalars {
            switch scalar {
            case "\n": typed.append(keepingLines ? "\n" : " ")
            case "\t": typed.append(" ")
            // Keyboards of several scripts have keys for these, and emoji are made of them.
            case "\u{200c}", "\u{200d}": typed.append(scalar)
            default:
                let category = scalar.properties.generalCategory
                if category != .control, category != .format { typed.append(scalar) }
            }
        }
        return String(typed)
    }

    private static func withLineBreaks(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var afterReturn = false
        for scalar in text.unicodeScalars {
            let isSecondOfBreak = afterReturn && scalar == "\n"
            afterReturn = scalar == "\r"
            if isSecondOfBreak { continue }
            switch scalar {
            case "\r", "\u{85}", "\u{2028}", "\u{2029}": result.append("\n")
            default: result.append(scalar)
            }
        }
        return String(result)
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

    /// The beginning of the text, made harmless, that fits; where something is left out, `…` says so.
    static func cut(_ text: String, to columns: Int) -> String {
        guard columns > 0 else { return "" }
        let text = PrintableText.escaped(text)
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
