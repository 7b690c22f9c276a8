import BatonCore
import Foundation

/// What commands print. Nothing else in this program writes to the terminal, but for what draws a whole screen there:
/// so whatever others wrote into names, refs, texts or Redis passes through `PrintableText`.
enum Output {
    static func line(_ text: String) { self.text(text + "\n") }

    /// Whole lines.
    static func text(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// One JSON object, the same for programs whatever is escaped in it.
    ///
    /// - Parameter isPretty: on many lines, for people who look at it; else on one.
    static func object(_ value: some Encodable, isPretty: Bool = true) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        line(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// One line on standard error.
    static func notice(_ text: String) { write(PrintableText.escaped(text) + "\n", to: STDERR_FILENO) }

    /// Lines on standard error.
    static func explanation(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// One line on standard error that is written over by the next.
    static func progress(_ text: String) {
        StandardOutput.write("\r\u{1b}[K" + PrintableText.escaped(text), to: STDERR_FILENO)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        StandardOutput.write(PrintableText.escaped(text, keepingLines: true), to: descriptor)
    }
}
