import Testing

@testable import baton

@Suite("Text for a terminal")
struct TerminalTextTests {
    @Test("A message keeps its line breaks, of whatever kind they are, and is harmless otherwise")
    func messages() {
        #expect(TerminalText.message("a\r\nb\u{2028}c\rd\u{85}e\n") == "a\nb\nc\nd\ne\n")
        #expect(TerminalText.message("\u{1b}[2Jgone\u{202e}") == #"\u001b[2Jgone\u202e"#)
    }

    @Test(
        "What is typed or pasted is text: control characters are left out, joiners are keys of some keyboards",
        arguments: [
            ("\u{1b}[2Jgone", "[2Jgone"), ("a\u{202e}b\u{2066}c", "abc"), ("a\tb", "a b"), ("a\r\nb\nc", "a b c"),
            ("e\u{301}", "e\u{301}"), ("👩\u{200d}👩\u{200d}👧", "👩\u{200d}👩\u{200d}👧"), ("\u{200c}", "\u{200c}"),
            ("", ""),
        ])
    func typed(text: String, expected: String) {
        #expect(TerminalText.typed(text) == expected)
        #expect(TerminalText.typed("a\r\nb", keepingLines: true) == "a\nb")
    }

    @Test(
        "A text's width is what terminals give it",
        arguments: [("abc", 3), ("漢字", 4), ("🕓", 2), ("✓✓", 2), ("e\u{301}", 1), ("❤️", 2), ("👩\u{200d}👧", 2), ("", 0)])
    func widths(text: String, columns: Int) {
        #expect(TerminalText.width(text) == columns)
    }

    @Test(
        "Lines break at blanks, and within a word that is too long",
        arguments: [
            ("one two three", 7, ["one two", "three"]), ("abcdefgh", 3, ["abc", "def", "gh"]),
            ("a\n\nb", 5, ["a", "", "b"]), ("漢字漢", 3, ["漢", "字", "漢"]), ("", 5, [""]), ("漢", 1, ["漢"]),
            ("abc def", 3, ["abc", "def"]),
        ])
    func wrapping(text: String, columns: Int, lines: [String]) {
        #expect(TerminalText.wrapped(text, columns: columns) == lines)
    }

    @Test(
        "What is cut says so, and fits",
        arguments: [("abcdef", 4, "abc…"), ("abc", 3, "abc"), ("漢字漢", 4, "漢…"), ("a", 0, "")])
    func cutting(text: String, columns: Int, expected: String) {
        #expect(TerminalText.cut(text, to: columns) == expected)
    }
}
