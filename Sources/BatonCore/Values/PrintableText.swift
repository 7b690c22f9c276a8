/// Text that others wrote, as people may be shown it: on a terminal, in a log, on a page.
///
/// What acts on a terminal, turns the direction of what follows, or is there without being seen, is written as JSON
/// writes it: `\u001b`, `\u202e`, `\n`. So a JSON document remains the same document, and what is escaped once is not
/// changed by being escaped again. Every command prints through this.
///
/// It is not about spaces, nor about letters that look alike.
public enum PrintableText {
    /// Marks on one letter; more of them would cover the lines around.
    public static let marksInARow = 4

    /// - Parameter keepingLines: `\n` stays a line break; else it is escaped like the rest.
    public static func escaped(_ text: String, keepingLines: Bool = false) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7e).contains($0) || ($0 == 0x0a && keepingLines) }
        guard !isPlain else { return text }
        let scalars = Array(text.unicodeScalars)
        var result = String.UnicodeScalarView()
        result.reserveCapacity(scalars.count)
        /// The scalar before, where it is shown as it is.
        var before: Unicode.Scalar?
        var marks = 0
        for (index, scalar) in scalars.enumerated() {
            let after = index + 1 < scalars.count ? scalars[index + 1] : nil
            var isShown = scalar == "\n" ? keepingLines : isVisible(scalar, between: before, and: after)
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark:
                marks += 1
                if marks > marksInARow { isShown = false }
            default: marks = 0
            }
            if isShown { result.append(scalar) } else { result.append(contentsOf: escape(scalar).unicodeScalars) }
            before = isShown ? scalar : nil
        }
        return String(result)
    }

    private static func isVisible(
        _ scalar: Unicode.Scalar, between before: Unicode.Scalar?, and after: Unicode.Scalar?
    ) -> Bool {
        if (0x20...0x7e).contains(scalar.value) { return true }
        switch scalar.value {
        case 0x200c, 0x200d: return before.map { joins(scalar, $0, after) } ?? false
        case 0xfe0e, 0xfe0f:
            return before.map { isPicture($0) || ($0.properties.isEmoji && after == "\u{20e3}") } ?? false
        case 0xe0100...0xe01ef: return before?.properties.isIdeographic ?? false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
        default: return !scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    /// Joiners belong into words of several scripts, and between pictures. Anywhere else they only hide.
    private static func joins(_ joiner: Unicode.Scalar, _ before: Unicode.Scalar, _ after: Unicode.Scalar?) -> Bool {
        guard let after else { return false }
        if joiner == "\u{200d}", isPicture(after) {
            return isPicture(before) || before == "\u{fe0f}" || before.properties.isEmojiModifier
        }
        return [before, after].allSatisfy { letter in joiningScripts.contains { $0.contains(letter.value) } }
    }

    private static func isPicture(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value > 0x7f && scalar.properties.isEmoji
    }

    /// Arabic, Syriac, Thaana, N'Ko and the scripts of India and around it; Khmer and Mongolian.
    private static let joiningScripts: [ClosedRange<UInt32>] = [
        0x0620...0x06ff, 0x0710...0x08ff, 0x0900...0x0dff, 0x0f00...0x109f, 0x1780...0x18af,
    ]

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        default:
            String(scalar).utf16.map { unit in
                let hex = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }.joined()
        }
    }
}
