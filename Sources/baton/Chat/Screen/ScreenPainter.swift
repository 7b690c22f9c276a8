/// Turns frames into what the terminal must be sent: only the lines that changed, and the cursor.
struct ScreenPainter {
    /// The alternate screen, marked paste, lines that do not wrap by themselves, a clean page.
    static let enter = "\u{1b}[?1049h\u{1b}[?2004h\u{1b}[?7l\u{1b}[2J"
    /// Everything as it was, the cursor visible.
    static let leave = "\u{1b}[?7h\u{1b}[?2004l\u{1b}[?1049l\u{1b}[?25h"

    let colours: Bool
    private var shown: [StyledLine] = []

    init(colours: Bool) {
        self.colours = colours
    }

    /// The whole screen is drawn next time: it was resized, or something else wrote on it.
    mutating func forget() {
        shown = []
    }

    mutating func paint(_ frame: ChatScreen.Frame) -> String {
        paint(frame.lines, cursorColumn: frame.cursorColumn)
    }

    /// - Parameter cursorColumn: where the cursor stands in the last line; nil where none is seen.
    mutating func paint(_ lines: [StyledLine], cursorColumn: Int?) -> String {
        var output = "\u{1b}[?25l"
        let isWhole = shown.count != lines.count
        if isWhole { output += "\u{1b}[2J" }
        for (row, line) in lines.enumerated() where isWhole || shown[row] != line {
            output += "\u{1b}[\(row + 1);1H\u{1b}[2K\(line.ansi(colours: colours))"
        }
        shown = lines
        guard let cursorColumn else { return output }
        return output + "\u{1b}[\(lines.count);\(cursorColumn + 1)H\u{1b}[?25h"
    }
}
