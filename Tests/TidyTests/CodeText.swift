/// Tells a Swift file's code from its comments and strings, well enough to look for words in one and not the other.
struct CodeText {
    private let source: [Character]
    private var position = 0
    private var output: [Character] = []

    /// The text with comments and the contents of strings replaced by blanks. Lines keep their numbers.
    static func blanked(_ text: String) -> String {
        var scanner = CodeText(source: Array(text))
        scanner.scanCode(untilParenthesis: false)
        return String(scanner.output)
    }

    private init(source: [Character]) { self.source = source }

    private func startsHere(_ text: String) -> Bool { source[position...].starts(with: text) }

    private mutating func keep() {
        output.append(source[position])
        position += 1
    }

    private mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where position < source.count {
            output.append(source[position].isNewline ? source[position] : " ")
            position += 1
        }
    }

    /// To the end, or inside of an interpolation to the parenthesis that closes it.
    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while position < source.count {
            if startsHere("//") {
                while position < source.count, !source[position].isNewline { blank() }
            } else if startsHere("/*") {
                scanBlockComment()
            } else if let pounds = poundsOfString() {
                scanString(pounds: pounds)
            } else {
                if source[position] == "(" { depth += 1 }
                if source[position] == ")" {
                    if untilParenthesis, depth == 0 { return }
                    depth -= 1
                }
                keep()
            }
        }
    }

    private mutating func scanBlockComment() {
        var depth = 0
        repeat {
            if startsHere("/*") {
                depth += 1
                blank(2)
            } else if startsHere("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && position < source.count
    }

    /// The number of `#` before a quotation mark here; nil where no string begins.
    private func poundsOfString() -> Int? {
        let pounds = source[position...].prefix { $0 == "#" }.count
        let quote = position + pounds
        return quote < source.count && source[quote] == "\"" ? pounds : nil
    }

    private mutating func scanString(pounds: Int) {
        let suffix = String(repeating: "#", count: pounds)
        for _ in 0..<pounds { keep() }
        let quotes = startsHere("\"\"\"") ? "\"\"\"" : "\""
        for _ in quotes { keep() }
        while position < source.count {
            if startsHere(quotes + suffix) {
                for _ in quotes + suffix { keep() }
                return
            }
            if quotes == "\"", source[position].isNewline { return }
            if startsHere("\\" + suffix + "(") {
                blank(2 + pounds)
                scanCode(untilParenthesis: true)
                blank()
            } else if startsHere("\\" + suffix) {
                blank(2 + pounds)
            } else {
                blank()
            }
        }
    }
}
