import Testing

@testable import baton

@Suite("Keys of a terminal's bytes")
struct KeyParserTests {
    private func keys(_ text: String) -> [Key] {
        var parser = KeyParser()
        return parser.parse(Array(text.utf8))
    }

    @Test("Letters, controls and sequences become keys")
    func simple() {
        #expect(keys("hi\r") == [.text("hi"), .enter])
        #expect(keys("\u{7f}\u{08}\t\u{03}") == [.backspace, .backspace, .tab, .control("c")])
        #expect(keys("\u{1b}[A\u{1b}OB\u{1b}[5~\u{1b}[3~\u{1b}[1;5D") == [.up, .down, .pageUp, .delete, .wordLeft])
        #expect(keys("\u{1b}\r") == [.lineBreak])
    }

    @Test("An unknown sequence is swallowed whole")
    func unknown() {
        #expect(keys("\u{1b}[?62;c\u{1b}[99zx") == [.text("x")])
    }

    @Test("The same bytes make the same keys however they are split")
    func split() {
        let bytes = Array("añ漢🕓\u{1b}[D\u{1b}[200~x\ny\u{1b}[201~z".utf8)
        for size in 1...bytes.count {
            var parser = KeyParser()
            var keys: [Key] = []
            for start in stride(from: 0, to: bytes.count, by: size) {
                keys += parser.parse(bytes[start..<min(start + size, bytes.count)])
            }
            let typed = keys.map { if case .text(let text) = $0 { text } else { "|" } }.joined()
            #expect(typed == "añ漢🕓||z", "by \(size)")
            #expect(keys.contains(.paste("x\ny")))
            #expect(keys.contains(.left))
        }
    }

    @Test("A paste cannot smuggle keys or escape sequences in")
    func paste() {
        #expect(keys("\u{1b}[200~a\u{1b}[Ab\u{03}\r\n\u{1b}[201~") == [.paste("a[Ab\n")])
    }

    @Test("A paste is cut at its bound, and what follows it is typed again")
    func longPaste() {
        let pasted = String(repeating: "x", count: KeyParser.pasteBytes + 1_000)
        #expect(
            keys("\u{1b}[200~\(pasted)\u{1b}[201~y")
                == [.paste(String(repeating: "x", count: KeyParser.pasteBytes)), .text("y")])
    }

    @Test("Random bytes never trap, and nothing of control comes out as text")
    func random() {
        var generator = SystemRandomNumberGenerator()
        var parser = KeyParser()
        for _ in 0..<200 {
            let bytes = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for case .text(let text) in parser.parse(bytes) {
                #expect(!text.unicodeScalars.contains { $0.value < 0x20 })
            }
        }
    }
}
