import Foundation

/// Asks the person at the terminal. Blocks its caller: used before anything else runs.
enum Prompt {
    /// A line, as the terminal echoes and edits it; nil at the end of the input.
    static func line(_ question: String) -> String? {
        Output.text(question)
        return readLine()
    }

    static func isYes(_ question: String) -> Bool {
        ["y", "yes"].contains(line("\(question) [y/N] ")?.lowercased() ?? "")
    }

    /// A line that is not echoed; nil where the person gave up with Control-C or Control-D.
    static func secret(_ question: String) -> String? {
        Output.text(question)
        let terminal = TerminalDevice()
        terminal.enterRaw()
        defer {
            terminal.restore()
            Output.line("")
        }
        var parser = KeyParser()
        var editor = LineEditor()
        var bytes = [UInt8](repeating: 0, count: 256)
        while true {
            let count = read(STDIN_FILENO, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            for key in parser.parse(bytes.prefix(count)) {
                if key == .control("c") || (key == .control("d") && editor.isEmpty) { return nil }
                if case .submitted(let line) = editor.apply(key) { return line }
            }
        }
    }
}
