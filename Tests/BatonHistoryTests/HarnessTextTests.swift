import BatonHistory
import BatonProtocol
import Foundation
import Testing

@Suite("Texts of harnesses")
struct HarnessTextTests {
    private static let numbers: ClosedRange<UInt64> = 1...400

    @Test("A text is its number's, and no other text that only looks the same")
    func exact() {
        #expect(Self.numbers.allSatisfy { HarnessText.number(in: HarnessText.text($0)) == $0 })
        for number in Self.numbers {
            let text = HarnessText.text(number)
            #expect(HarnessText.number(in: text + " ") == nil)
            let normalised = text.precomposedStringWithCanonicalMapping
            if !normalised.utf8.elementsEqual(text.utf8) { #expect(HarnessText.number(in: normalised) == nil) }
        }
        for wrong in ["", "1", "x", " 1", "18446744073709551616 "] { #expect(HarnessText.number(in: wrong) == nil) }
    }

    @Test("Texts hold characters of every plane, and some that normalisation changes")
    func everyPlane() {
        let all = Self.numbers.map(HarnessText.text)
        #expect(Set(all.joined().unicodeScalars.map { $0.value >> 16 }) == Set(0...16))
        #expect(all.contains { !$0.precomposedStringWithCanonicalMapping.utf8.elementsEqual($0.utf8) })
    }

    @Test("Escaped JSON is ASCII, and says the same")
    func escaped() throws {
        for number in Self.numbers {
            var frame = WireClientFrame()
            frame.send.ref = "r\u{20BB7}"
            frame.send.content.text = HarnessText.text(number)
            let json = try FrameCodec.encode(frame, as: .json)
            let escaped = EscapedJSON.escape(json)
            #expect(escaped.allSatisfy { $0 < 0x80 })
            let decoded = try FrameCodec.decode(escaped, as: .json)
            #expect(try decoded == FrameCodec.decode(json, as: .json))
            guard case .send(let send) = decoded else { continue }
            #expect(send.content.text.utf8.elementsEqual(HarnessText.text(number).utf8))
        }
        #expect(EscapedJSON.escape(Array("\"\u{20BB7}\"".utf8)) == Array(#""\ud842\udfb7""#.utf8))
    }
}
