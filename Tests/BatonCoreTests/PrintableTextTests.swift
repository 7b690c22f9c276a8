import BatonCore
import BatonTestKit
import Foundation
import Testing

@Suite("Text that people may be shown")
struct PrintableTextTests {
    @Test("Nothing that acts on a terminal, turns text or is not seen comes through, wherever it stands")
    func harmless() {
        for text in HostileText.texts {
            let escaped = PrintableText.escaped(text)
            #expect(HostileText.offences(in: escaped) == [] && !escaped.contains("\n"), "\(escaped)")
            #expect(HostileText.offences(in: PrintableText.escaped(text, keepingLines: true)) == [])
        }
        let all = String(String.UnicodeScalarView(HostileText.scalars))
        #expect(HostileText.offences(in: PrintableText.escaped(all)) == [])
    }

    @Test(
        "What is escaped is written as JSON writes it",
        arguments: [
            ("\u{1b}[2Jgone", #"\u001b[2Jgone"#), ("\u{9b}31m", #"\u009b31m"#), ("a\u{202e}b", #"a\u202eb"#),
            ("a\tb\r\nc", #"a\tb\r\nc"#), ("a\u{2028}b", #"a\u2028b"#), ("a\u{e0061}b", #"a\udb40\udc61b"#),
            ("ad\u{200d}min", #"ad\u200dmin"#), ("\u{200d}", #"\u200d"#), ("\u{3164}", #"\u3164"#), ("", ""),
            ("1\u{fe0f}", #"1\ufe0f"#), ("x\u{feff}", #"x\ufeff"#),
        ])
    func form(text: String, expected: String) {
        #expect(PrintableText.escaped(text) == expected)
    }

    @Test(
        "What people write stays as it is",
        arguments: [
            "plain ~text~ \\ \"quoted\"", "é e\u{301} ß Ωμέγα привет", "漢字かな 한국어", "שלום", "مرحبا", "नमस्ते",
            "👩\u{200d}👩\u{200d}👧", "❤\u{fe0f}\u{200d}🔥", "👍🏽", "🏳\u{fe0f}\u{200d}🌈", "1\u{fe0f}\u{20e3}", "✓✓ 🕓",
            "می\u{200c}خواهم", "क\u{94d}\u{200d}ष", "葛\u{e0100}", "ไม่", "Nguyễn", "\u{1d400}", "±×÷ €",
        ])
    func kept(text: String) {
        #expect(PrintableText.escaped(text) == text)
    }

    @Test("Marks do not pile up without end on one letter, and none is lost")
    func marks() {
        let text = "a" + String(repeating: "\u{301}", count: 500) + "b\u{301}"
        let kept = "a" + String(repeating: "\u{301}", count: PrintableText.marksInARow)
        let escaped = String(repeating: #"\u0301"#, count: 500 - PrintableText.marksInARow)
        #expect(PrintableText.escaped(text) == kept + escaped + "b\u{301}")
    }

    @Test("Lines are kept where that is asked for")
    func lines() {
        #expect(PrintableText.escaped("a\n\u{1b}b\n", keepingLines: true) == "a\n\\u001bb\n")
    }

    @Test("Every code point, in a JSON document: it is the same document afterwards, and once is enough")
    func documents() throws {
        for plane in UInt32(0)...16 {
            for block in stride(from: plane << 16, to: (plane + 1) << 16, by: 1 << 12) {
                let text = String(String.UnicodeScalarView((block..<block + 1 << 12).compactMap(Unicode.Scalar.init)))
                let document = String(decoding: try JSONEncoder().encode([text: [text]]), as: UTF8.self)
                let escaped = PrintableText.escaped(document, keepingLines: true)
                #expect(try JSONDecoder().decode([String: [String]].self, from: Data(escaped.utf8)) == [text: [text]])
                #expect(PrintableText.escaped(escaped, keepingLines: true) == escaped)
                // Selectors of ideographs may follow one; nothing else of these stands where it belongs.
                #expect(HostileText.offences(in: escaped).isEmpty, "block \(String(block, radix: 16))")
            }
        }
    }
}
