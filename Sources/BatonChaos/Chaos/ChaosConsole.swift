import BatonCore
import Foundation
import Synchronization

/// What a person sees while a run goes on, on standard error: one line that is rewritten on a terminal, a line every
/// few seconds elsewhere.
package final class ChaosConsole: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let isQuiet: Bool
    private let state = Mutex((lastNotes: [String](), updates: 0))

    /// Updates between two lines where there is no terminal.
    private static let updatesPerLine = 5

    package init(isQuiet: Bool = false) { self.isQuiet = isQuiet }

    /// Something happened; it is shown with the next update.
    package func note(_ text: String) {
        state.withLock { $0.lastNotes.append(text) }
    }

    /// A stage of the run begins.
    package func stage(_ text: String) {
        write((isTerminal ? "\r\u{1b}[K" : "") + PrintableText.escaped(text) + "\n")
    }

    /// How it stands now.
    package func update(_ text: String) {
        let (notes, isDue) = state.withLock { state in
            state.updates += 1
            let isDue = isTerminal || state.updates % Self.updatesPerLine == 0 || !state.lastNotes.isEmpty
            defer { state.lastNotes = [] }
            return (state.lastNotes, isDue)
        }
        guard isDue else { return }
        let line = PrintableText.escaped(notes.isEmpty ? text : "\(text) · \(notes.joined(separator: ", "))")
        write(isTerminal ? "\r\u{1b}[K\(line)" : line + "\n")
    }

    private func write(_ text: String) {
        if !isQuiet { FileHandle.standardError.write(Data(text.utf8)) }
    }
}
