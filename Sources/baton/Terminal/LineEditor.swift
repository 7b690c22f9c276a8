/// The line that a person is writing: text, cursor, and the lines before it.
struct LineEditor {
    enum Outcome: Hashable {
        /// The text is another one.
        case edited
        /// Only the cursor moved, or nothing happened.
        case unchanged
        case submitted(String)
        /// Not a matter of the line.
        case unhandled(Key)
    }

    /// Letters of one line.
    static let maximumLength = 16_000
    static let historyLines = 100

    private var characters: [Character] = []
    private(set) var cursor = 0
    private var history: [String] = []
    /// Where in the history the line is, and what was written before going there.
    private var recalled: (index: Int, draft: String)?

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    mutating func apply(_ key: Key) -> Outcome {
        switch key {
        case .text(let text), .paste(let text): return insert(text)
        case .lineBreak: return insert("\n")
        case .enter: return submit()
        case .backspace: return remove(cursor - 1..<cursor)
        case .delete: return remove(cursor..<cursor + 1)
        case .left: return move(to: cursor - 1)
        case .right: return move(to: cursor + 1)
        case .wordLeft: return move(to: wordStart)
        case .wordRight: return move(to: wordEnd)
        case .home, .control("a"): return move(to: 0)
        case .end, .control("e"): return move(to: characters.count)
        case .up, .control("p"): return recall(-1)
        case .down, .control("n"): return recall(1)
        case .control("u"): return remove(0..<cursor)
        case .control("k"): return remove(cursor..<characters.count)
        case .control("w"): return remove(wordStart..<cursor)
        case .control("d") where !isEmpty: return remove(cursor..<cursor + 1)
        case .pageUp, .pageDown, .tab, .control: return .unhandled(key)
        }
    }

    /// Puts another text in place of the line, with the cursor at its end.
    mutating func replace(with text: String) {
        characters = Array(text.prefix(Self.maximumLength))
        cursor = characters.count
    }

    /// The part of the line that fits, moved so that the cursor is in it. Line breaks are shown as `⏎`.
    func visible(columns: Int) -> (text: String, cursorColumn: Int) {
        let shown = characters.map { $0 == "\n" ? "⏎" : $0 }
        var start = cursor
        var before = 0
        while start > 0 {
            let width = TerminalText.width(of: shown[start - 1])
            guard before + width < columns else { break }
            before += width
            start -= 1
        }
        var used = 0
        let part = shown[start...].prefix { character in
            used += TerminalText.width(of: character)
            return used <= columns
        }
        return (String(part), before)
    }

    private mutating func insert(_ text: String) -> Outcome {
        // As one string: a mark joins the letter before it.
        let before = String(characters[..<cursor]) + text
        let joined = Array(before + String(characters[cursor...]))
        guard joined.count <= Self.maximumLength else { return .unchanged }
        characters = joined
        cursor = min(before.count, joined.count)
        return .edited
    }

    private mutating func remove(_ range: Range<Int>) -> Outcome {
        let range = range.clamped(to: 0..<characters.count)
        guard !range.isEmpty else { return .unchanged }
        characters.removeSubrange(range)
        cursor = range.lowerBound
        return .edited
    }

    private mutating func move(to position: Int) -> Outcome {
        cursor = min(max(0, position), characters.count)
        return .unchanged
    }

    private mutating func submit() -> Outcome {
        let line = text
        characters = []
        cursor = 0
        recalled = nil
        if !line.isEmpty, history.last != line {
            history.append(line)
            if history.count > Self.historyLines { history.removeFirst() }
        }
        return .submitted(line)
    }

    private mutating func recall(_ step: Int) -> Outcome {
        let now = recalled ?? (history.count, text)
        let index = now.index + step
        guard index >= 0, index <= history.count, index != now.index else { return .unchanged }
        recalled = (index, now.draft)
        replace(with: index == history.count ? now.draft : history[index])
        return .edited
    }

    private var wordStart: Int {
        var index = cursor
        while index > 0, characters[index - 1].isWhitespace { index -= 1 }
        while index > 0, !characters[index - 1].isWhitespace { index -= 1 }
        return index
    }

    private var wordEnd: Int {
        var index = cursor
        while index < characters.count, characters[index].isWhitespace { index += 1 }
        while index < characters.count, !characters[index].isWhitespace { index += 1 }
        return index
    }
}
