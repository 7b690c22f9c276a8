/// Files that fit a mind, functions that fit a screen.
enum LengthRule {
    static let fileLines = 600
    static let functionLines = 70
    /// One long list each, in which nothing has to be kept in mind from line to line.
    static let tables: Set<String> = ["Sources/BatonStore/Engine/HotStatements.swift"]

    static func findings(in file: SourceFile) -> [Finding] {
        guard !file.isGenerated, file.lines.count - 1 > fileLines else { return [] }
        return [
            Finding(
                path: file.path, line: fileLines + 1, problem: "\(file.lines.count - 1) lines, more than \(fileLines)")
        ]
    }

    /// Functions and initializers whose body is longer than `functionLines`, but for those of `tables`.
    static func longFunctions(in file: SourceFile) -> [Finding] {
        guard !file.isGenerated, !tables.contains(file.path) else { return [] }
        var findings: [Finding] = []
        /// Of the functions that are open: the line of their start and the depth of braces around them.
        var open: [(line: Int, depth: Int, hasBegun: Bool)] = []
        var depth = 0
        for (number, line) in file.code.enumerated() {
            if isFunction(line) { open.append((number, depth, false)) }
            for character in line {
                if character == "{" {
                    depth += 1
                    if let last = open.indices.last, open[last].depth == depth - 1 { open[last].hasBegun = true }
                } else if character == "}" {
                    depth -= 1
                    guard let last = open.last, last.hasBegun, last.depth == depth else { continue }
                    open.removeLast()
                    let length = number - last.line + 1
                    if length > functionLines {
                        findings.append(
                            Finding(path: file.path, line: last.line + 1, problem: "a function of \(length) lines"))
                    }
                }
            }
            // A requirement of a protocol has no body.
            if let last = open.last, !last.hasBegun, depth < last.depth { open.removeLast() }
        }
        return findings
    }

    private static func isFunction(_ line: Substring) -> Bool {
        let words = line.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@") }
        let before: Set<Substring> = [
            "public", "package", "internal", "fileprivate", "private", "static", "final", "override", "mutating",
            "nonisolated", "convenience", "required", "consuming", "borrowing", "class",
        ]
        let first = words.first { !$0.hasPrefix("@") && !before.contains($0) }
        return first == "func" || first == "init"
    }
}
