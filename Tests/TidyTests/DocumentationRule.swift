/// What others build on is explained: each public declaration of the SDK and of the wire contract.
enum DocumentationRule {
    static let modules: Set<String> = ["BatonClient", "BatonProtocol"]

    /// Requirements of the standard library's protocols, which say what these do.
    private static let known = [
        "var description:", "var debugDescription:", "var errorDescription:", "init(rawValue:", "func hash(into",
        "static func ==", "static func <", "init(from decoder", "func encode(to", "func makeAsyncIterator",
        "mutating func next(", "var id:", "init?(_ description", "typealias AsyncIterator", "typealias Element",
    ]

    static func findings(in file: SourceFile) -> [Finding] {
        guard file.path.hasPrefix("Sources/"), !file.isGenerated, let module = file.module, modules.contains(module)
        else { return [] }
        return file.code.indices.compactMap { number in
            let line = file.code[number].drop { $0 == " " }
            guard line.hasPrefix("public "), ImportRule.imported(line) == nil, !line.hasPrefix("public extension")
            else { return nil }
            if known.contains(where: line.contains) || isDocumented(number, in: file) { return nil }
            return Finding(path: file.path, line: number + 1, problem: "undocumented: \(line.prefix(60))")
        }
    }

    /// Whether a doc comment stands above the declaration, or above the attributes that belong to it; or, in a run of
    /// declarations of a line each, above their first.
    private static func isDocumented(_ number: Int, in file: SourceFile) -> Bool {
        var above = number - 1
        while above >= 0 {
            let line = file.lines[above].drop { $0 == " " }
            if line.hasPrefix("///") || line.hasSuffix("*/") { return true }
            let isRun =
                line.hasPrefix("public let ") || line.hasPrefix("public var ") || line.hasPrefix("public static let ")
            guard line.hasPrefix("@") || line.hasPrefix("#if") || (isRun && !line.hasSuffix("{")) else { return false }
            above -= 1
        }
        return false
    }
}
