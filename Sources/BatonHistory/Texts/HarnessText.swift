package import BatonClient
import BatonCore

/// What the messages of a harness say: a number, and behind it characters that some program on the way might change.
/// All of it follows from the number, so that a reader can compare every byte without having been told.
package enum HarnessText {
    /// Unusual characters behind the number at most.
    private static let longestTail = 60

    /// Those that JSON, normalisation, UTF-16 and terminals treat in a way of their own: quotes and controls, blanks and
    /// marks that are not seen, accents apart and in one, both sides of the surrogates, and places on the planes behind.
    private static let unusual: [Unicode.Scalar] = [
        "\"", "\\", "/", "<", "\u{1}", "\u{8}", "\t", "\n", "\r", "\u{1f}", "\u{7f}", "\u{85}", "\u{a0}", "\u{ad}",
        "e", "\u{301}", "\u{e9}", "\u{212b}", "\u{c5}", "\u{1100}", "\u{1161}", "\u{200b}", "\u{200d}", "\u{200f}",
        "\u{202e}", "\u{2028}", "\u{2029}", "\u{3000}", "\u{d7ff}", "\u{e000}", "\u{feff}", "\u{fe0f}", "\u{fffd}",
        "\u{ffff}", "\u{10000}", "\u{1f600}", "\u{1f1e9}", "\u{20bb7}", "\u{2fa1d}", "\u{30000}", "\u{e0100}",
        "\u{fffff}", "\u{100000}", "\u{10fffd}", "\u{10ffff}",
    ]

    package static func text(_ number: UInt64) -> String {
        var generator = SeededGenerator(seed: number)
        var tail = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...longestTail, using: &generator) { tail.append(scalar(using: &generator)) }
        return "\(number) \(String(tail))"
    }

    /// The number of a text, where the text is that number's, byte by byte.
    package static func number(in text: String) -> UInt64? {
        let digits = text.utf8.prefix { $0 != UInt8(ascii: " ") }
        // Strings that look the same are equal; bytes are not.
        guard let number = UInt64(String(digits) ?? ""), text.utf8.elementsEqual(Self.text(number).utf8) else {
            return nil
        }
        return number
    }

    /// The number of a message's text; nil for any other content.
    package static func number(in content: Content) -> UInt64? {
        guard case .text(let text) = content else { return nil }
        return number(in: text)
    }

    /// One of those above, or any of any plane.
    private static func scalar(using generator: inout SeededGenerator) -> Unicode.Scalar {
        let number = UInt32.random(in: 1...0x10_FFFF, using: &generator)
        let known = unusual[Int.random(in: 0..<unusual.count, using: &generator)]
        return Bool.random(using: &generator) ? known : Unicode.Scalar(number) ?? known
    }
}
