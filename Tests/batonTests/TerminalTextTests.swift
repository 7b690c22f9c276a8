import Testing

@testable import baton

@Suite("Text for a terminal")
struct TerminalTextTests {
    @Test(
        "Nothing that others wrote can act on the terminal",
        arguments: [
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone"), ("a\u{07}b\u{08}", "a\u{fffd}b\u{fffd}"),
            ("\u{9b}31m", "\u{fffd}31m"), ("a\u{202e}b\u{2066}c", "abc"), ("a\tb", "a b"), ("a\r\nb\nc", "a b c"),
            ("e\u{301}", "e\u{301}"), ("👩\u{200d}👩\u{200d}👧", "👩\u{200d}👩\u{200d}👧"), ("", ""),
        ])
    func harmless(text: String, expected: String) {
        #expect(TerminalText.safe(text) == expected)
    }

    @Test("A message keeps its line breaks, of whatever kind they are")
    func keepsLines() {
        #expect(TerminalText.safe("a\r\nb\u{2028}c\rd", keepingLines: true) == "a\nb\nc\nd")
    }

    @Test("Marks do not pile up without end on one letter")
    func fewMarks() {
        let safe = TerminalText.safe("a" + String(repeating: "\u{301}", count: 500) + "b")
        #expect(safe.unicodeScalars.count == 2 + TerminalText.marksInARow)
        #expect(safe.hasSuffix("b"))
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
