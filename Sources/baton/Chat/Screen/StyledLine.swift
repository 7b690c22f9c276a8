import BatonCore

/// A line of the screen: runs of text, each in one style. No text in it can act on the terminal.
struct StyledLine: Hashable {
    enum Style: Hashable {
        case plain
        case dim
        case bold
        case reverse
        /// The colour of what was read.
        case read
        case good
        case warning
    }

    struct Run: Hashable {
        let text: String
        let style: Style
    }

    private(set) var runs: [Run] = []

    init() {}

    init(_ text: String, _ style: Style = .plain) {
        add(text, style)
    }

    var text: String { runs.map(\.text).joined() }
    var width: Int { TerminalText.width(text) }

    mutating func add(_ text: String, _ style: Style = .plain) {
        if !text.isEmpty { runs.append(Run(text: PrintableText.escaped(text), style: style)) }
    }

    /// One run from edge to edge: `left`, blanks, `right`; where both do not fit, the right one is cut.
    static func bar(left: String, right: String, columns: Int, style: Style) -> StyledLine {
        let left = TerminalText.cut(left, to: columns)
        let room = columns - TerminalText.width(left) - 1
        let right = TerminalText.cut(right, to: max(0, room))
        let blanks = max(0, columns - TerminalText.width(left) - TerminalText.width(right))
        return StyledLine(left + String(repeating: " ", count: blanks) + right, style)
    }

    /// The line with its escape sequences. Without colours only bold, dim and reverse are used.
    func ansi(colours: Bool) -> String {
        runs.map { run in
            let codes = run.style.codes(colours: colours)
            return codes.isEmpty ? run.text : "\u{1b}[\(codes)m\(run.text)\u{1b}[0m"
        }.joined()
    }
}

extension StyledLine.Style {
    fileprivate func codes(colours: Bool) -> String {
        switch self {
        case .plain: ""
        case .dim: "2"
        case .bold: "1"
        case .reverse: "7"
        case .read: colours ? "1;34" : "1"
        case .good: colours ? "32" : ""
        case .warning: colours ? "1;33" : "1"
        }
    }
}
