import Foundation

/// Reads flat JSON objects: texts, whole numbers, `true` and `false`, lists of texts. Nothing else is in a history.
///
/// By hand, since a run has millions of lines, of which most are short. One parser for many lines: long texts that
/// come again, such as conversations, are kept once.
struct HistoryLineParser {
    /// What is wrong with a line, for people.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private enum Value {
        case text(String)
        case number(UInt64)
        case negative
        case flag(Bool)
        case texts([String])
        case null
    }

    typealias Key = HistoryRecord.Key

    private var values: [Value?] = Array(repeating: nil, count: Key.allCases.count)
    /// Texts that are too long to be stored in place.
    private var kept: [String: String] = [:]
    private static let inPlaceBytes = 15
    /// Beyond this many different ones further ones are not kept.
    private static let keptTexts = 100_000

    // MARK: A line's fields

    func has(_ key: Key) -> Bool {
        switch values[key.rawValue] {
        case nil, .null: false
        default: true
        }
    }

    func text(_ key: Key) throws(Failure) -> String {
        guard case .text(let text) = values[key.rawValue] else { throw missing(key, "a text") }
        return text
    }

    func number(_ key: Key) throws(Failure) -> UInt64 {
        guard case .number(let number) = values[key.rawValue] else { throw missing(key, "a number from 0 on") }
        return number
    }

    func time(_ key: Key) throws(Failure) -> Int64 {
        let number = try number(key)
        guard let time = Int64(exactly: number) else { throw Failure("\"\(key.stringValue)\" is too large: \(number)") }
        return time
    }

    func flag(_ key: Key) throws(Failure) -> Bool {
        guard case .flag(let flag) = values[key.rawValue] else { throw missing(key, "true or false") }
        return flag
    }

    func texts(_ key: Key) throws(Failure) -> [String] {
        guard case .texts(let texts) = values[key.rawValue] else { throw missing(key, "a list of texts") }
        return texts
    }

    private func missing(_ key: Key, _ wanted: String) -> Failure {
        Failure("\"\(key.stringValue)\" must be \(wanted)\(has(key) ? "" : ", and is not there")")
    }

    // MARK: Reading

    /// Reads one object. Fields that are not known are passed over: newer programs write more.
    mutating func read(_ line: UnsafeRawBufferPointer) throws(Failure) {
        for index in values.indices { values[index] = nil }
        var at = 0
        try expect("{", line, &at)
        skipBlanks(line, &at)
        if byte(line, at) == UInt8(ascii: "}") {
            at += 1
        } else {
            repeat {
                skipBlanks(line, &at)
                let name = try string(line, &at)
                try expect(":", line, &at)
                let value = try value(line, &at)
                guard let key = Key(stringValue: name) else { continue }
                guard values[key.rawValue] == nil else { throw Failure("\"\(name)\" is there twice") }
                values[key.rawValue] = value
            } while takesComma(line, &at)
            try expect("}", line, &at)
        }
        skipBlanks(line, &at)
        guard at == line.count else { throw Failure("something follows the object, at byte \(at + 1)") }
    }

    private mutating func value(_ line: UnsafeRawBufferPointer, _ at: inout Int) throws(Failure) -> Value {
        skipBlanks(line, &at)
        switch byte(line, at) {
        case UInt8(ascii: "\""): return .text(try string(line, &at))
        case UInt8(ascii: "["):
            at += 1
            skipBlanks(line, &at)
            var texts: [String] = []
            if byte(line, at) != UInt8(ascii: "]") {
                repeat {
                    skipBlanks(line, &at)
                    texts.append(try string(line, &at))
                } while takesComma(line, &at)
            }
            try expect("]", line, &at)
            return .texts(texts)
        case UInt8(ascii: "t"): return try word("true", .flag(true), line, &at)
        case UInt8(ascii: "f"): return try word("false", .flag(false), line, &at)
        case UInt8(ascii: "n"): return try word("null", .null, line, &at)
        case UInt8(ascii: "-"):
            at += 1
            _ = try digits(line, &at)
            return .negative
        default: return .number(try digits(line, &at))
        }
    }

    private func digits(_ line: UnsafeRawBufferPointer, _ at: inout Int) throws(Failure) -> UInt64 {
        let start = at
        var number: UInt64 = 0
        while let next = byte(line, at), next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") {
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isStillTooLarge) = tens.addingReportingOverflow(UInt64(next - UInt8(ascii: "0")))
            guard !isTooLarge, !isStillTooLarge else { throw Failure("a number is too large, at byte \(start + 1)") }
            number = sum
            at += 1
        }
        guard at > start else { throw Failure("no value at byte \(start + 1)") }
        if let next = byte(line, at), [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(next) {
            throw Failure("a number is not whole, at byte \(start + 1)")
        }
        return number
    }

    private func word(
        _ word: StaticString, _ value: Value, _ line: UnsafeRawBufferPointer, _ at: inout Int
    ) throws(Failure) -> Value {
        let count = word.utf8CodeUnitCount
        let isThere =
            line.count - at >= count
            && line[at..<at + count].elementsEqual(UnsafeBufferPointer(start: word.utf8Start, count: count))
        guard isThere else { throw Failure("no value at byte \(at + 1)") }
        at += count
        return value
    }

    private mutating func string(_ line: UnsafeRawBufferPointer, _ at: inout Int) throws(Failure) -> String {
        guard byte(line, at) == UInt8(ascii: "\"") else { throw Failure("no text at byte \(at + 1)") }
        let start = at + 1
        var (end, isEscaped) = (start, false)
        while let next = byte(line, end), next != UInt8(ascii: "\"") {
            guard next >= 0x20 else { throw Failure("a control character at byte \(end + 1)") }
            if next == UInt8(ascii: "\\") { (end, isEscaped) = (end + 1, true) }
            end += 1
        }
        guard end < line.count else { throw Failure("a text without an end, at byte \(start)") }
        at = end + 1
        if isEscaped { return try unescaped(line[start - 1...end], at: start) }
        let bytes = UnsafeRawBufferPointer(rebasing: line[start..<end])
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("a text is not UTF-8, at byte \(start)")
        }
        return bytes.count > Self.inPlaceBytes ? keep(text) : text
    }

    /// Rare, and left to Foundation.
    private func unescaped(_ quoted: Slice<UnsafeRawBufferPointer>, at start: Int) throws(Failure) -> String {
        do {
            return try JSONDecoder().decode(String.self, from: Data(quoted))
        } catch {
            throw Failure("a text with a wrong escape, at byte \(start)")
        }
    }

    private mutating func keep(_ text: String) -> String {
        if let known = kept[text] { return known }
        if kept.count < Self.keptTexts { kept[text] = text }
        return text
    }

    private func takesComma(_ line: UnsafeRawBufferPointer, _ at: inout Int) -> Bool {
        skipBlanks(line, &at)
        guard byte(line, at) == UInt8(ascii: ",") else { return false }
        at += 1
        return true
    }

    private func expect(
        _ character: Unicode.Scalar, _ line: UnsafeRawBufferPointer, _ at: inout Int
    ) throws(Failure) {
        skipBlanks(line, &at)
        guard byte(line, at) == UInt8(ascii: character) else {
            throw Failure("no \"\(character)\" at byte \(at + 1)\(at >= line.count ? ", where the line ends" : "")")
        }
        at += 1
    }

    private func skipBlanks(_ line: UnsafeRawBufferPointer, _ at: inout Int) {
        while let next = byte(line, at), next == 0x20 || next == 0x09 || next == 0x0d { at += 1 }
    }

    private func byte(_ line: UnsafeRawBufferPointer, _ at: Int) -> UInt8? { at < line.count ? line[at] : nil }
}
