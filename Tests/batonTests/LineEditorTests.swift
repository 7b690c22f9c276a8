import Testing

@testable import baton

@Suite("The line that is being written")
struct LineEditorTests {
    private var editor = LineEditor()

    private mutating func type(_ keys: Key...) {
        for key in keys { _ = editor.apply(key) }
    }

    @Test("Typing inserts at the cursor, Enter submits and empties the line")
    mutating func inserting() {
        type(.text("helo"), .left, .text("l"), .end, .text("!"))
        #expect(editor.text == "hello!")
        #expect(editor.apply(.enter) == .submitted("hello!"))
        #expect(editor.isEmpty)
    }

    @Test("Backspace takes a whole letter, whatever it is made of")
    mutating func graphemes() {
        type(.text("a👩‍👩‍👧e"), .text("\u{301}"))
        #expect(editor.cursor == 3)
        type(.backspace)
        #expect(editor.text == "a👩‍👩‍👧")
        type(.backspace)
        #expect(editor.text == "a")
        type(.backspace, .backspace, .delete)
        #expect(editor.text == "")
    }

    @Test("Words and ends are reached and removed with one key")
    mutating func words() {
        type(.text("one two  three"), .wordLeft, .control("w"))
        #expect(editor.text == "one three")
        type(.home, .wordRight, .control("k"))
        #expect(editor.text == "one")
        type(.control("u"))
        #expect(editor.isEmpty)
    }

    @Test("Earlier lines come back, and the one that was begun is not lost")
    mutating func history() {
        type(.text("first"), .enter, .text("second"), .enter, .text("dra"))
        type(.up)
        #expect(editor.text == "second")
        type(.up, .up)
        #expect(editor.text == "first")
        type(.down, .down)
        #expect(editor.text == "dra")
    }

    @Test("A pasted text keeps its lines, which the screen shows as signs")
    mutating func paste() {
        type(.paste("a\nb"))
        #expect(editor.text == "a\nb")
        #expect(editor.visible(columns: 10).text == "a⏎b")
    }

    @Test("What is longer than the line is moved, so that the cursor is seen")
    mutating func scrolling() {
        type(.text("0123456789"))
        #expect(editor.visible(columns: 5) == ("6789", 4))
        type(.home)
        #expect(editor.visible(columns: 5) == ("01234", 0))
    }

    @Test("Control-D on an empty line is not the line's matter, nor are other keys")
    mutating func unhandled() {
        #expect(editor.apply(.control("d")) == .unhandled(.control("d")))
        #expect(editor.apply(.pageUp) == .unhandled(.pageUp))
        type(.text("ab"), .home)
        #expect(editor.apply(.control("d")) == .edited)
        #expect(editor.text == "b")
    }

    @Test("So many lines are remembered")
    mutating func historyBound() {
        for number in 0...LineEditor.historyLines { type(.text("line \(number)"), .enter) }
        for _ in 0...LineEditor.historyLines { type(.up) }
        #expect(editor.text == "line 1")
    }

    @Test("A line has a bound")
    mutating func bound() {
        type(.paste(String(repeating: "x", count: LineEditor.maximumLength)))
        #expect(editor.apply(.text("y")) == .unchanged)
        #expect(editor.text.count == LineEditor.maximumLength)
    }
}
