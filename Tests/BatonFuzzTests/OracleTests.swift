import Testing

@testable import BatonFuzz

/// What the oracles are made of finds what it is there for.
@Suite("Oracles of the fuzzers")
struct OracleTests {
    @Test("Escaped JSON has each character of its strings as an escape, and nothing else changed")
    func escaped() throws {
        let json = #"{"a": "b\n\u00e9𠮷", "c": [1, true]} "#
        let escaped = try #require(EscapedJSON.of(Array(json.utf8)))
        #expect(
            String(decoding: escaped, as: UTF8.self)
                == #"{"\u0061": "\u0062\n\u00e9\ud842\udfb7", "\u0063": [1, true]} "#)
        #expect(EscapedJSON.of([0xff]) == nil)
    }

    @Test("A character that is not escaped but must be stays so: the text is as wrong as before")
    func control() throws {
        #expect(try #require(EscapedJSON.of(Array("\"\u{01}a".utf8))) == Array("\"\u{01}\\u0061".utf8))
    }

    @Test("Work that grows with the square is found, and linear work is not")
    func work() throws {
        let input = try #require(RepeatedInput(Array("abcdef".utf8), upTo: 4_096))
        #expect(input.bytes.count > 4_000 && input.bytes.count <= 4_096)
        // No build is as slow as to take so long for an addition.
        let bound = WorkBound(nanosecondsPerByte: 1_000, freeNanoseconds: 1_000_000)
        var sum = 0
        try bound.check(input.bytes) { bytes in for byte in bytes { sum &+= Int(byte) } }
        #expect(throws: FuzzFinding.self) {
            try bound.check(input.bytes) { bytes in
                bytes.withUnsafeBufferPointer { bytes in
                    for first in bytes { for second in bytes { sum &+= Int(first ^ second) } }
                }
            }
        }
        #expect(sum != 0)
    }

    @Test("An input that cannot be repeated is not measured")
    func unrepeatable() {
        #expect(RepeatedInput([], upTo: 100) == nil)
        #expect(RepeatedInput(Array(repeating: 1, count: 100), upTo: 100) == nil)
    }

    @Test("A finding is printable, whatever the input was")
    func printable() {
        let text = FuzzFinding("a\u{1b}[31m\u{202e}\n").description
        #expect(text.utf8.allSatisfy { (0x20...0x7e).contains($0) })
    }
}
