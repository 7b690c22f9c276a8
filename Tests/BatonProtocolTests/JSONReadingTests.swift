import BatonCore
import Foundation
import SwiftProtobuf
import Testing

@testable import BatonProtocol

@Suite("What is JSON, and what its values are")
struct JSONReadingTests {
    @Test("What Foundation takes for JSON is taken, and nothing else")
    func grammar() {
        var generator = SeededGenerator(seed: 20)
        let samples = [
            #"{"a":[1,-2.5e+3,0.1E-2],"b":{"c":null,"d":[true,false]},"e":"x\n\u00e9\\"}"#,
            #"[[],{},"",0,-0,[[[]]],{"a":{"b":{}}}]"#, #"{"":" \/ ","\t":-1}"#,
        ]
        let bytes = Array("{}[]\",:.\\-+ \t\nutrfalsen0123456789eE".utf8)
        var taken = 0
        for round in 0..<20_000 {
            var value = Array(samples[round % samples.count].utf8)
            for _ in 0..<Int.random(in: 0...2, using: &generator) {
                let index = Int.random(in: 0..<value.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: value[index] = bytes.randomElement(using: &generator) ?? 0
                case 1: value.remove(at: index)
                default: value.insert(bytes.randomElement(using: &generator) ?? 0, at: index)
                }
            }
            let text = Array(#"{"later":"#.utf8) + value + Array("}".utf8)
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(text))) != nil
            let isTaken = JSONTranscoder(text, as: WireSchema.clientFrame).fault == nil
            if isTaken { taken += 1 }
            // Foundation lets a comma stand at the end.
            let string = String(decoding: text, as: UTF8.self)
            #expect(isTaken == isJSON || !isTaken && string.contains(#/,\s*[\]}]/#), "\(string)")
        }
        #expect((4_000...16_000).contains(taken))
    }

    @Test(
        "Whole numbers are read however they are written",
        arguments: [
            ("0", 0), ("-0", 0), ("0.0", 0), ("-0.000e5", 0), ("0e999999999999999999999", 0), ("7", 7), ("70e-1", 7),
            ("7.0", 7), ("0.7e1", 7), ("0.00007E+5", 7), ("1e19", 10_000_000_000_000_000_000),
            ("18446744073709551615", .max), ("18446744073709551615.0", .max), ("1.8446744073709551615e19", .max),
            ("184467440737095516150e-1", .max), ("9007199254740993", 9_007_199_254_740_993),
            ("9007199254740993.000", 9_007_199_254_740_993), ("1" + String(repeating: "0", count: 1_000) + "e-1000", 1),
        ] as [(String, UInt64)])
    func wholeNumbers(text: String, number: UInt64) throws {
        for value in [text, "\"\(text)\""] {
            let frame = try FrameCodec.decode(Array(#"{"ack":{"inboxSequence":\#(value)}}"#.utf8), as: .json)
            #expect(frame == .ack(.with { $0.inboxSequence = number }))
        }
    }

    @Test(
        "Other numbers are refused, and so is what is none",
        arguments: [
            "-1", "0.5", "1e-1", "18446744073709551616", "1e20", "1e400", "1e999999999999999999999", "-1e-999",
            "1.8446744073709551616e19", "15e-1", "99999999999999999999999999999999", "", " 1", "1 ", "+1", "01", "1.",
            ".1", "1e", "1e+", "0x1", "1_000", "Infinity", "NaN", "--1", "1-", "١",
        ])
    func otherNumbers(text: String) {
        for value in [text, "\"\(text)\""] where !value.isEmpty && value == text.trimmingCharacters(in: .whitespaces) {
            #expect(throws: FrameError.self) {
                try FrameCodec.decode(Array(#"{"ack":{"inboxSequence":\#(value)}}"#.utf8), as: .json)
            }
        }
    }

    @Test("A number in quotes may have escapes, which have to be right")
    func escapedNumbers() throws {
        func frame(_ value: String) throws -> WireClientFrame.OneOf_Frame {
            try FrameCodec.decode(Array(#"{"ack":{"inboxSequence":"\#(value)"}}"#.utf8), as: .json)
        }
        #expect(try frame(#"1\u0035\u0030"#) == .ack(.with { $0.inboxSequence = 150 }))
        for value in [#"5\x"#, #"5\ud800"#, #"5\n"#, #"\"#, #"5\u003"#] {
            #expect(throws: FrameError.self) { try frame(value) }
        }
    }

    @Test("Numbers are what arithmetic with digits makes of them")
    func numbersOracle() {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<5_000 {
            let digits = (0..<Int.random(in: 1...22, using: &generator)).map { _ in
                "0001234567890099".randomElement(using: &generator) ?? "0"
            }
            let trimmed = String(digits.drop { $0 == "0" })
            let whole = trimmed.isEmpty ? "0" : trimmed
            let point = Int.random(in: 0..<4, using: &generator)
            let fraction = (0..<point).map { _ in "0015".randomElement(using: &generator) ?? "0" }
            let exponent = Int.random(in: -6...6, using: &generator)
            let text = whole + (point > 0 ? "." + String(fraction) : "") + (exponent == 0 ? "" : "e\(exponent)")
            #expect(
                JSONNumber(Array(text.utf8), 0..<text.utf8.count)?.whole
                    == Self.whole(whole, String(fraction), exponent), "\(text)")
        }
    }

    /// Moves the point in the text.
    private static func whole(_ whole: String, _ fraction: String, _ exponent: Int) -> JSONNumber.Whole {
        let digits = Array(whole + fraction)
        let end = whole.count + exponent
        let left =
            end <= 0 ? "0" : String(digits.prefix(end)) + String(repeating: "0", count: max(0, end - digits.count))
        let right = end < 0 ? String(digits) : String(digits.dropFirst(end))
        let isWhole = right.allSatisfy { $0 == "0" }
        guard isWhole else { return .fraction }
        return UInt64(left).map { .number($0) } ?? .outOfRange
    }

    @Test("Base64 is read as Foundation reads it, in the other alphabet and without padding too")
    func base64() throws {
        var generator = SeededGenerator(seed: 22)
        for count in 0..<200 {
            let data = Data((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
            let text = data.base64EncodedString()
            let url = text.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            let escaped = text.replacingOccurrences(of: "/", with: "\\/").replacingOccurrences(of: "+", with: "\\u002b")
            let bare = text.replacingOccurrences(of: "=", with: "")
            for form in [text, url, escaped, bare] {
                let json = #"{"send":{"content":{"data":"\#(form)"}}}"#
                let frame = try FrameCodec.decode(Array(json.utf8), as: .json)
                #expect(frame == .send(.with { $0.content.data = data }), "\(form)")
            }
        }
    }

    @Test(
        "What is not base64 is refused",
        arguments: [
            "*", "A", "AAAAA", "AA=", "AA===", "A===", "====", "=", "==", "AAAA=", "AAAA==", "A=AA", "AA==AA==", "AA A",
            " AAAA", "AAAA ", "AA\\n", "AAéA", "AAA\\u00e9", "Ａ",
        ])
    func otherBase64(text: String) {
        #expect(throws: FrameError.self) {
            try FrameCodec.decode(Array(#"{"send":{"content":{"data":"\#(text)"}}}"#.utf8), as: .json)
        }
    }

    @Test("White space stands anywhere between values")
    func whiteSpace() throws {
        let text = "\n{ \"ping\"\t:\r\n{ \"nonce\" : \"a b\" ,\"later\" : [ 1 , { } , [ ] ] } }\n \t"
        #expect(try FrameCodec.decode(Array(text.utf8), as: .json) == .ping(.with { $0.nonce = "a b" }))
    }

    @Test("A value of an enumeration is read by its name and its number, and one of a later version is passed over")
    func enumerations() throws {
        func outcome(_ value: String) throws -> WireResumeOutcome {
            let text = #"{"welcome":{"outcome":\#(value),"node":"n"}}"#
            let frame = try FrameCodec.decodeServerFrame(Array(text.utf8), as: .json)
            #expect(frame.welcome.node == "n")
            return frame.welcome.outcome
        }
        #expect(try outcome(#""RESYNC_EPOCH""#) == .resyncEpoch)
        #expect(try outcome("2") == .resyncTruncated)
        #expect(try outcome(#""LATER""#) == .unspecified)
        #expect(try outcome("99") == .UNRECOGNIZED(99))
    }
}
