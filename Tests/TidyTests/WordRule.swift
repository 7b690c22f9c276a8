/// Words that have no place in the code, each with the reason that a person gets to read.
enum WordRule {
    struct Word: Sendable {
        let pattern: String
        let reason: String
        /// Which files it is about.
        let applies: @Sendable (SourceFile) -> Bool
        /// Whether it counts in comments and strings too.
        var everywhere = false
    }

    static let words: [Word] = [
        Word(pattern: #"\btry!"#, reason: "traps on an error", applies: { _ in true }),
        Word(pattern: #"\bfatalError\b"#, reason: "traps", applies: { _ in true }),
        Word(pattern: #"@unchecked\s+Sendable"#, reason: "switches the compiler's check off", applies: { _ in true }),
        Word(pattern: #"\bas!\s"#, reason: "traps on another type", applies: { _ in true }),
        Word(pattern: #"\bTask(\.detached)?\s*\{"#, reason: "nobody waits for an unstructured task", applies: isSource),
        Word(pattern: #"\bTask(\.detached)?\s*\("#, reason: "nobody waits for an unstructured task", applies: isSource),
        Word(pattern: #"\bTask\.sleep\b"#, reason: "sleep on an injected clock", applies: { _ in true }),
        Word(pattern: #"\b(u|nano)?sleep\s*\("#, reason: "blocks a thread", applies: isSource),
        Word(pattern: #"\bprint\s*\("#, reason: printing, applies: isSource),
        Word(
            pattern: #"\bFileHandle\.standard(Error|Output)"#, reason: printing,
            applies: { isSource($0) && !$0.path.hasSuffix("/ChaosConsole.swift") }),
        Word(
            pattern: #"\bStandardOutput\.write\b"#, reason: printing,
            applies: { isSource($0) && !$0.path.hasPrefix("Sources/baton/Terminal/") }),
        Word(
            pattern: #"\.(waitUntilExit|terminationHandler)\b"#,
            reason: "may hang while other children live; use `ended()` of BatonTestKit", applies: { _ in true }),
        Word(
            pattern: #"\.readabilityHandler\b"#,
            reason: "crashes inside libdispatch now and then; use `Pipe.lines()` of BatonTestKit",
            applies: { _ in true }),
        Word(
            pattern: #"\bjson(UTF8Bytes|String):"#, reason: "reads escaped text as other text; use `WireJSON`",
            applies: isSource),
        Word(pattern: #"\bimport\s+XCTest\b"#, reason: "tests use Swift Testing", applies: { _ in true }),
        Word(
            pattern: "\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b", reason: "do it, or write an issue",
            applies: { _ in true }, everywhere: true),
    ]

    /// Phrases that a reader has to read twice, each with the plain words for it. They count in comments, too.
    private static let phrases: [Word] = [
        (#"\bmanieth\b"#, "write which number it is, such as \"the sender's running count\""),
        (#"\bthereof\b"#, "write \"of it\", or name the thing"),
        (#"\bby the door\b"#, "write \"shut down cleanly\""),
        (#"\bis of the opinion\b"#, "write \"decides\" or \"assumes\""),
        (#"\b[Ll]est\b"#, "write \"so that ... not\""),
        (#"\bpasses [a-z ]{1,30} by\b"#, "write \"bypasses\""),
    ].map { pattern, reason in Word(pattern: pattern, reason: reason, applies: isPlain, everywhere: true) }

    private static let printing = "what others wrote is made harmless by `Output` of the command line"
    /// The rule and its test name the phrases.
    private static let isPlain: @Sendable (SourceFile) -> Bool = { !$0.path.hasPrefix("Tests/TidyTests/") }
    private static let isSource: @Sendable (SourceFile) -> Bool = { $0.path.hasPrefix("Sources/") }

    static func findings(in file: SourceFile) throws -> [Finding] {
        guard !file.isGenerated else { return [] }
        var findings: [Finding] = []
        for word in words + phrases where word.applies(file) {
            let expression = try Regex(word.pattern)
            for (number, line) in (word.everywhere ? file.lines : file.code).enumerated() {
                guard let match = try expression.firstMatch(in: line) else { continue }
                // A method of that name, such as `clock.sleep(`, is another thing.
                if line[..<match.range.lowerBound].last == ".", !word.everywhere { continue }
                findings.append(
                    Finding(path: file.path, line: number + 1, problem: "\(line[match.range]): \(word.reason)"))
            }
        }
        return findings
    }
}
